-- Parameters are cast: psycopg sends a small integer as smallint and a text as unknown, and an index may then be
-- passed over. Instants leave as microseconds since 1970, which is the cheapest way into an aware UTC datetime.

-- name: get_schedule
SELECT d.doctor_id::text, d.first_name, d.last_name, d.specialty, d.sub_specialties, d.timezone, d.is_verified,
       d.is_active, d.rating, d.rating_count, d.years_experience, d.languages, d.license_jurisdictions,
       d.max_daily_appointments, d.requires_approval, r.rules, b.busy, o.overrides,
       (SELECT count(*)
        FROM visit AS v
        WHERE v.patient_id = %(patient_id)s::uuid AND v.doctor_id = d.doctor_id AND v.status = 'COMPLETED'
       ) AS previous_visits
FROM doctor AS d
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes, a.buffer_minutes,
               a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end, a.notice_minutes,
               a.horizon_days, a.version)) AS rules
    FROM availability_rule AS a
    WHERE a.doctor_id = d.doctor_id AND (%(kinds)s::text[] IS NULL OR a.kind = ANY (%(kinds)s::text[]))
) AS r
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               (extract(epoch FROM lower(v.occupied)) * 1000000)::bigint,
               (extract(epoch FROM upper(v.occupied)) * 1000000)::bigint, v.kind, v.seat)) AS busy
    FROM visit AS v
    WHERE v.doctor_id = d.doctor_id
      AND v.occupied && tstzrange(%(earliest)s::timestamptz, %(latest)s::timestamptz, '[]')
      AND v.status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
      -- A hold that has run out keeps no time, though the feed may not have told yet.
      AND (v.hold_expire_time IS NULL OR v.hold_expire_time > %(now)s::timestamptz)
) AS b
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               o.override_id, o.doctor_id, o.kind, o.first_day, o.last_day, o.window_start, o.window_end,
               o.extra_kind, o.duration_minutes, o.buffer_minutes, o.capacity, o.overrides_blocks, o.note))
           AS overrides
    FROM availability_override AS o
    -- A day of any calendar lies within a day of the same date of UTC.
    WHERE o.doctor_id = d.doctor_id
      AND o.last_day >= (%(earliest)s::timestamptz AT TIME ZONE 'UTC')::date - 1
      AND o.first_day <= (%(latest)s::timestamptz AT TIME ZONE 'UTC')::date + 1
) AS o
WHERE d.doctor_id = %(doctor_id)s::uuid

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
    SELECT d.doctor_id, d.first_name, d.last_name, d.specialty, d.sub_specialties, d.timezone, d.is_verified,
           d.is_active, d.rating, d.rating_count, d.years_experience, d.languages, d.license_jurisdictions,
           d.max_daily_appointments, d.requires_approval, coalesce(h.visits, 0) AS previous_visits
    FROM in_question
    JOIN doctor AS d USING (doctor_id)
    LEFT JOIN history AS h USING (doctor_id)
    ORDER BY d.is_verified AND d.is_active AND d.specialty_keys @> %(specialty_keys)s::text[] DESC,
             h.visits DESC NULLS LAST,
             (d.rating * d.rating_count + %(prior_rating)s::float8 * %(prior_count)s::int)
                 / (d.rating_count + %(prior_count)s::int) DESC,
             d.doctor_id
    LIMIT %(most)s::int
)
SELECT c.doctor_id::text, c.first_name, c.last_name, c.specialty, c.sub_specialties, c.timezone, c.is_verified,
       c.is_active, c.rating, c.rating_count, c.years_experience, c.languages, c.license_jurisdictions,
       c.max_daily_appointments, c.requires_approval, r.rules, b.busy, o.overrides, c.previous_visits
FROM candidate AS c
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes, a.buffer_minutes,
               a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end, a.notice_minutes,
               a.horizon_days, a.version)) AS rules
    FROM availability_rule AS a
    WHERE a.doctor_id = c.doctor_id AND a.kind = ANY (%(kinds)s::text[])
) AS r
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               (extract(epoch FROM lower(v.occupied)) * 1000000)::bigint,
               (extract(epoch FROM upper(v.occupied)) * 1000000)::bigint, v.kind, v.seat)) AS busy
    FROM visit AS v
    WHERE v.doctor_id = c.doctor_id
      AND v.occupied && tstzrange(%(earliest)s::timestamptz, %(latest)s::timestamptz, '[]')
      AND v.status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
      -- A hold that has run out keeps no time, though the feed may not have told yet.
      AND (v.hold_expire_time IS NULL OR v.hold_expire_time > %(now)s::timestamptz)
) AS b
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               o.override_id, o.doctor_id, o.kind, o.first_day, o.last_day, o.window_start, o.window_end,
               o.extra_kind, o.duration_minutes, o.buffer_minutes, o.capacity, o.overrides_blocks, o.note))
           AS overrides
    FROM availability_override AS o
    -- A day of any calendar lies within a day of the same date of UTC.
    WHERE o.doctor_id = c.doctor_id
      AND o.last_day >= (%(earliest)s::timestamptz AT TIME ZONE 'UTC')::date - 1
      AND o.first_day <= (%(latest)s::timestamptz AT TIME ZONE 'UTC')::date + 1
) AS o

-- name: read_cursor
SELECT number FROM feed_cursor

-- name: keep_visits
-- One statement is one transaction and one round trip. The visits are joined to the cursor as it moves, so that its row
-- is locked before the first of them is written: two replicas never apply batches at once.
WITH moved AS (
    UPDATE feed_cursor SET number = greatest(number, %(number)s::bigint) RETURNING number
)
INSERT INTO visit AS held (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied, seat,
                           version, hold_expire_time, rating)
SELECT appointment_id, doctor_id, patient_id, kind, status, start_time, end_time,
       tstzrange(start_time, occupied_until), seat, version, hold_expire_time, rating
FROM moved
CROSS JOIN unnest(
    %(appointment_ids)s::uuid[], %(doctor_ids)s::uuid[], %(patient_ids)s::uuid[], %(kinds)s::text[],
    %(statuses)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(occupied_until)s::timestamptz[],
    %(seats)s::int[], %(versions)s::int[], %(hold_expire_times)s::timestamptz[], %(ratings)s::int[]
) AS heard (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied_until, seat, version,
            hold_expire_time, rating)
ON CONFLICT (appointment_id) DO UPDATE
SET doctor_id = excluded.doctor_id,
    patient_id = excluded.patient_id,
    kind = excluded.kind,
    status = excluded.status,
    start_time = excluded.start_time,
    end_time = excluded.end_time,
    occupied = excluded.occupied,
    seat = excluded.seat,
    version = excluded.version,
    hold_expire_time = excluded.hold_expire_time,
    rating = excluded.rating
WHERE held.version < excluded.version

-- name: holds_number
SELECT number >= %(number)s::bigint AS holds FROM feed_cursor

-- name: holds_version
SELECT EXISTS (
    SELECT FROM visit WHERE appointment_id = %(appointment_id)s::uuid AND version >= %(version)s::int
) AS holds

-- name: claim_request
INSERT INTO idempotency (caller, method, request_id, fingerprint, create_time)
VALUES (%(caller)s, %(method)s, %(request_id)s, %(fingerprint)s, %(now)s)
ON CONFLICT (caller, method, request_id) DO NOTHING

-- name: get_answer
SELECT fingerprint, answer
FROM idempotency
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: save_answer
UPDATE idempotency
SET answer = %(answer)s
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: forget_requests
DELETE FROM idempotency WHERE create_time < %(before)s::timestamptz

-- name: ping
SELECT 1 AS well
