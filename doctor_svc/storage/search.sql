-- The parts of one statement: storage/search.py puts together those that a wish needs, so that each kind of wish has
-- a plan of its own. Braces are filled in with parts of this file and never with what a caller sends.

-- name: listed
SELECT {columns}, {keys}
FROM doctor AS d
WHERE {conditions}{after}
ORDER BY {order}
LIMIT %(most)s::int

-- name: ranked
-- To rank is to look at everyone who has the words, so it is done for no more than so many of them: the better rated of
-- those who have them in a name or specialty, and the better rated of all. Whoever is left out has words in the bio alone
-- that at least as many others have.
-- An array, because a join would count on 2,000 and read the table from end to end.
SELECT d.doctor_id, {exact_keys}
    FROM doctor AS d
    WHERE d.doctor_id = ANY (ARRAY(
        (SELECT d.doctor_id
         FROM doctor AS d
         WHERE d.search_titles @@ search_query(%(query)s::text) AND {conditions}
         ORDER BY d.weighed_rating DESC, d.doctor_id DESC
         LIMIT 1000)
        UNION
        (SELECT d.doctor_id
         FROM doctor AS d
         WHERE d.search_document @@ search_query(%(query)s::text) AND {conditions}
         ORDER BY d.weighed_rating DESC, d.doctor_id DESC
         LIMIT 1000)
    ))

-- name: in_order
-- Any other order has an index, so no more are looked at than the page needs.
SELECT d.doctor_id, {keys}
    FROM doctor AS d
    WHERE d.search_document @@ search_query(%(query)s::text) AND {conditions}{inner_after}
    ORDER BY {inner_order}
    LIMIT %(most)s::int

-- name: searched
WITH exact AS MATERIALIZED (
    {exact}
),
-- Looked for only when nobody has the words as they are spelled.
alike AS MATERIALIZED (
    SELECT d.doctor_id, {alike_keys}
    FROM doctor AS d
    WHERE NOT EXISTS (
          SELECT
          FROM doctor AS d
          WHERE d.search_document @@ search_query(%(query)s::text) AND {conditions}
      )
      AND search_folded(%(query)s::text) <%% d.search_words AND {conditions}
),
page AS (
    SELECT *
    FROM (SELECT * FROM exact UNION ALL SELECT * FROM alike) AS d
    WHERE true{after}
    ORDER BY {order}
    LIMIT %(most)s::int
)
SELECT {columns}, {page_keys}
FROM page
JOIN doctor AS d USING (doctor_id)
ORDER BY {page_order}

-- name: columns
d.doctor_id::text AS doctor_id, d.first_name, d.last_name, d.specialty, d.sub_specialties, d.bio, d.years_experience,
       d.languages, d.timezone, d.license_jurisdictions, d.max_daily_appointments, d.consultation_modes,
       d.requires_approval, d.is_verified, d.is_active, d.rating, d.rating_count, d.version, d.create_time, d.update_time

-- name: exact_relevance
ts_rank(d.search_document, search_query(%(query)s::text))::float8

-- name: alike_relevance
word_similarity(search_folded(%(query)s::text), d.search_words)::float8

-- name: is_public
d.is_verified AND d.is_active

-- name: has_state
d.is_verified = %(verified)s AND d.is_active = %(active)s

-- name: has_specialty
d.specialty_keys @> %(specialty_keys)s::text[]

-- name: speaks
d.language_keys @> %(language_keys)s::text[]

-- name: is_licensed
d.license_jurisdictions && %(jurisdictions)s::text[]

-- name: is_rated
CASE WHEN d.rating_count = 0 THEN %(prior_rating)s::float8 ELSE d.rating END >= %(min_rating)s::float8

-- name: is_experienced
d.years_experience >= %(min_years_experience)s::int

-- name: has_hours
-- Who may be free that day: whether a slot is, the one generator says of those found. Nobody has a slot without a rule for
-- the day or hours added, or on a day that is closed from end to end, but for added hours that win. OFFSET 0 has each
-- doctor of the page looked up by index, where a hash would be made of everybody's rules.
(
    EXISTS (
        SELECT
        FROM availability_rule AS a
        WHERE a.doctor_id = d.doctor_id
          AND (a.specific_date = %(day)s::date OR a.day_of_week = extract(dow FROM %(day)s::date)::int)
        OFFSET 0
    )
    AND NOT EXISTS (
        SELECT
        FROM availability_override AS o
        WHERE o.doctor_id = d.doctor_id AND %(day)s::date BETWEEN o.first_day AND o.last_day
          AND o.window_start IS NULL AND o.extra_kind IS NULL
        OFFSET 0
    )
    OR EXISTS (
        SELECT
        FROM availability_override AS o
        WHERE o.doctor_id = d.doctor_id AND %(day)s::date BETWEEN o.first_day AND o.last_day
          AND o.extra_kind IS NOT NULL
        OFFSET 0
    )
)
