-- The parts of one statement: storage/search.py puts together those that a wish needs, so that each kind of wish has
-- a plan of its own. Braces are filled in with parts of this file and never with what a caller sends.

-- name: listed
SELECT {columns}, {keys}
FROM doctor AS d
WHERE {conditions}{after}
ORDER BY {order}
LIMIT %(most)s::int

-- name: searched
WITH exact AS MATERIALIZED (
    SELECT d.doctor_id, {exact_keys}
    FROM doctor AS d
    WHERE d.search_document @@ search_query(%(query)s::text) AND {conditions}
),
-- Looked for only when nobody has the words as they are spelled.
alike AS MATERIALIZED (
    SELECT d.doctor_id, {alike_keys}
    FROM doctor AS d
    WHERE NOT EXISTS (SELECT FROM exact)
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

-- name: is_available
-- By count: the visits of that day against what the rules of that day and the doctor's own maximum leave room for.
-- Midnight is PostgreSQL's own here, which is good enough for a count and for nothing else.
(
    SELECT count(*)
    FROM visit AS v
    WHERE v.doctor_id = d.doctor_id
      AND v.start_time >= %(day)s::date::timestamp AT TIME ZONE d.timezone - interval '1 day'
      AND v.start_time < (%(day)s::date + 1)::timestamp AT TIME ZONE d.timezone
      AND v.occupied && tstzrange(
          %(day)s::date::timestamp AT TIME ZONE d.timezone, (%(day)s::date + 1)::timestamp AT TIME ZONE d.timezone)
      AND v.status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
) < (
    SELECT least(coalesce(sum(a.capacity * (
               coalesce(1 + floor((extract(epoch FROM a.morning_end) - extract(epoch FROM a.morning_start)
                                   - 60 * a.duration_minutes) / (60 * (a.duration_minutes + a.buffer_minutes))), 0)
               + coalesce(1 + floor((extract(epoch FROM a.afternoon_end) - extract(epoch FROM a.afternoon_start)
                                     - 60 * a.duration_minutes) / (60 * (a.duration_minutes + a.buffer_minutes))), 0)
           )), 0), nullif(d.max_daily_appointments, 0))
    FROM availability_rule AS a
    WHERE a.doctor_id = d.doctor_id
      AND (a.specific_date = %(day)s::date
           OR (a.day_of_week = extract(dow FROM %(day)s::date)::int
               AND NOT EXISTS (SELECT
                               FROM availability_rule AS s
                               WHERE s.doctor_id = d.doctor_id AND s.kind = a.kind
                                 AND s.specific_date = %(day)s::date)))
) AND NOT EXISTS (
    SELECT
    FROM availability_override AS o
    WHERE o.doctor_id = d.doctor_id AND %(day)s::date BETWEEN o.first_day AND o.last_day
      AND o.window_start IS NULL AND o.extra_kind IS NULL
)
