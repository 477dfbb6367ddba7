-- Doctors with all that slots are made of. Braces are filled in with parts of this file (storage/schedules.py).
--
-- What changes seldom (profile, rules, overrides) leaves as one text of JSON and only for those who do not hold that
-- version yet; busy times and history leave always. Instants leave as microseconds since 1970, which is the cheapest way
-- into an aware UTC datetime. Parameters are cast: psycopg sends a small integer as smallint and a text as unknown, and
-- an index may then be passed over.

-- name: practice
SELECT json_build_object(
    'doctor_id', d.doctor_id, 'first_name', d.first_name, 'last_name', d.last_name, 'specialty', d.specialty,
    'sub_specialties', d.sub_specialties, 'timezone', d.timezone, 'is_verified', d.is_verified,
    'is_active', d.is_active, 'rating', d.rating, 'rating_count', d.rating_count,
    'years_experience', d.years_experience, 'languages', d.languages,
    'license_jurisdictions', d.license_jurisdictions, 'max_daily_appointments', d.max_daily_appointments,
    'requires_approval', d.requires_approval,
    'rules', (
        SELECT json_agg(json_build_array(
                   a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes,
                   a.buffer_minutes, a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end,
                   a.notice_minutes, a.horizon_days, a.version))
        FROM availability_rule AS a
        WHERE a.doctor_id = d.doctor_id
    ),
    'overrides', (
        SELECT json_agg(json_build_array(
                   o.override_id, o.doctor_id, o.kind, o.first_day, o.last_day, o.window_start, o.window_end,
                   o.extra_kind, o.duration_minutes, o.buffer_minutes, o.capacity, o.overrides_blocks, o.note))
        FROM availability_override AS o
        WHERE o.doctor_id = d.doctor_id
    )
)::text
    FROM doctor AS d
    WHERE d.doctor_id = s.doctor_id

-- name: busy
SELECT array_agg((date_part('epoch', lower(v.occupied)) * 1000000)::bigint) AS starts,
           array_agg((date_part('epoch', upper(v.occupied)) * 1000000)::bigint) AS ends,
           array_agg(v.kind) AS kinds,
           array_agg(v.seat) AS seats
    FROM visit AS v
    WHERE v.doctor_id = s.doctor_id
      -- By the start, for the index; no visit occupies more than a day.
      AND v.start_time >= %(earliest)s::timestamptz - interval '1 day' AND v.start_time <= %(latest)s::timestamptz
      AND v.occupied && tstzrange(%(earliest)s::timestamptz, %(latest)s::timestamptz, '[]')
      AND v.status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
      -- A hold that has run out keeps no time, though the feed may not have told yet.
      AND (v.hold_expire_time IS NULL OR v.hold_expire_time > %(now)s::timestamptz)

-- name: previous_visits
(
    SELECT count(*)
    FROM visit AS v
    WHERE v.patient_id = %(patient_id)s::uuid AND v.doctor_id = s.doctor_id AND v.status = 'COMPLETED'
)

-- name: get_schedule
SELECT s.version::text, b.starts, b.ends, b.kinds, b.seats,
       {previous_visits} AS previous_visits,
       CASE WHEN s.version IS DISTINCT FROM %(known)s::uuid THEN (
    {practice}
       ) END AS practice
FROM schedule_version AS s
CROSS JOIN LATERAL (
    {busy}
) AS b
WHERE s.doctor_id = %(doctor_id)s::uuid

-- name: get_schedules
SELECT s.doctor_id::text, s.version::text, b.starts, b.ends, b.kinds, b.seats,
       {previous_visits} AS previous_visits,
       (
    {practice}
       ) AS practice
FROM schedule_version AS s
CROSS JOIN LATERAL (
    {busy}
) AS b
WHERE s.doctor_id = ANY (%(doctor_ids)s::uuid[])

-- name: get_visits
SELECT s.doctor_id::text, s.version::text, 0 AS previous_visits, b.starts, b.ends, b.kinds, b.seats
FROM schedule_version AS s
CROSS JOIN LATERAL (
    {busy}
) AS b
WHERE s.doctor_id = ANY (%(doctor_ids)s::uuid[])

-- name: find_schedules
WITH history AS (
    SELECT v.doctor_id, count(*) AS visits
    FROM visit AS v
    WHERE v.patient_id = %(patient_id)s::uuid AND v.status = 'COMPLETED'
    GROUP BY v.doctor_id
),
-- Who is in question: those who meet every demand, or, to explain who does not, everyone. Two branches, of which one is
-- switched off before it starts, so that a plan made for any parameters still goes through the index.
in_question AS (
    SELECT d.doctor_id
    FROM doctor AS d
    -- An empty list of keys is contained in every list: any specialty.
    WHERE NOT %(everyone)s::boolean
      AND d.is_verified AND d.is_active AND d.specialty_keys @> %(specialty_keys)s::text[]
      AND (%(language)s::text = '' OR EXISTS (
          SELECT FROM unnest(d.languages) AS spoken (tag)
          WHERE lower(tag) = %(language)s::text OR starts_with(lower(tag), %(language)s::text || '-')))
      AND (cardinality(%(licences)s::text[]) = 0 OR d.license_jurisdictions && %(licences)s::text[])
      AND CASE WHEN d.rating_count = 0 THEN %(prior_rating)s::float8 ELSE d.rating END >= %(min_rating)s::float8
    UNION ALL
    SELECT d.doctor_id FROM doctor AS d WHERE %(everyone)s::boolean
),
candidate AS (
    SELECT d.doctor_id, coalesce(h.visits, 0) AS previous_visits,
           row_number() OVER (
               ORDER BY d.is_verified AND d.is_active AND d.specialty_keys @> %(specialty_keys)s::text[] DESC,
                        h.visits DESC NULLS LAST,
                        (d.rating * d.rating_count + %(prior_rating)s::float8 * %(prior_count)s::int)
                            / (d.rating_count + %(prior_count)s::int) DESC,
                        d.doctor_id
           ) AS place
    FROM in_question
    JOIN doctor AS d USING (doctor_id)
    LEFT JOIN history AS h USING (doctor_id)
    ORDER BY place
    LIMIT %(most)s::int
)
SELECT s.doctor_id::text, s.version::text, c.previous_visits, b.starts, b.ends, b.kinds, b.seats
FROM candidate AS c
JOIN schedule_version AS s USING (doctor_id)
CROSS JOIN LATERAL (
    {busy}
) AS b
ORDER BY c.place
