-- The summary of the next days. Parameters are cast to the types of their columns.

-- name: page_summaries
-- One row at least, so that an empty page tells the time of the refresh too.
SELECT r.refresh_time, page.*
FROM availability_refresh AS r
LEFT JOIN LATERAL (
    SELECT s.doctor_id::text, d.first_name, d.last_name, d.specialty, d.timezone, s.next_free_time,
           s.offered_minutes_7, s.booked_minutes_7, s.free_slots_7, s.offered_minutes_14, s.booked_minutes_14, s.free_slots_14
    FROM doctor_availability_summary AS s
    -- Who is not public any more is not told, whatever the view still holds.
    JOIN doctor AS d ON d.doctor_id = s.doctor_id AND d.is_verified AND d.is_active
    WHERE d.specialty_keys @> %(specialty_keys)s::text[]
      AND (%(after_id)s::uuid IS NULL
           OR (coalesce(s.next_free_time, 'infinity'), s.doctor_id)
              > (%(after_time)s::timestamptz, %(after_id)s::uuid))
    ORDER BY coalesce(s.next_free_time, 'infinity'), s.doctor_id
    LIMIT %(most)s::int
) AS page ON true

-- name: last_refresh
SELECT refresh_time FROM availability_refresh

-- name: page_public_doctors
SELECT doctor_id::text
FROM doctor
WHERE is_verified AND is_active AND (%(after)s::uuid IS NULL OR doctor_id > %(after)s::uuid)
ORDER BY doctor_id
LIMIT %(most)s::int

-- name: put_days
INSERT INTO availability_day AS held (doctor_id, ahead, day, offered_minutes, booked_minutes, free_slots,
                                      first_free_time, count_time)
SELECT doctor_id, ahead, day, offered_minutes, booked_minutes, free_slots, first_free_time, %(now)s::timestamptz
FROM unnest(
    %(doctor_ids)s::uuid[], %(ahead)s::int[], %(days)s::date[], %(offered_minutes)s::int[], %(booked_minutes)s::int[],
    %(free_slots)s::int[], %(first_free_times)s::timestamptz[]
) AS counted (doctor_id, ahead, day, offered_minutes, booked_minutes, free_slots, first_free_time)
ON CONFLICT (doctor_id, ahead) DO UPDATE
SET day = excluded.day,
    offered_minutes = excluded.offered_minutes,
    booked_minutes = excluded.booked_minutes,
    free_slots = excluded.free_slots,
    first_free_time = excluded.first_free_time,
    count_time = excluded.count_time

-- name: drop_other_days
-- What this refresh did not count is of doctors who are not public any more.
DELETE FROM availability_day WHERE count_time <> %(now)s::timestamptz

-- name: refresh_summary
REFRESH MATERIALIZED VIEW CONCURRENTLY doctor_availability_summary

-- name: note_refresh
UPDATE availability_refresh SET refresh_time = %(now)s::timestamptz

-- name: count_offers
SELECT (SELECT refresh_time FROM availability_refresh) AS refresh_time, count(*) AS doctors,
       coalesce(sum(offered_minutes_7), 0)::bigint AS offered_minutes_7,
       coalesce(sum(booked_minutes_7), 0)::bigint AS booked_minutes_7,
       coalesce(sum(free_slots_7), 0)::bigint AS free_slots_7,
       coalesce(sum(offered_minutes_14), 0)::bigint AS offered_minutes_14,
       coalesce(sum(booked_minutes_14), 0)::bigint AS booked_minutes_14,
       coalesce(sum(free_slots_14), 0)::bigint AS free_slots_14
FROM doctor_availability_summary
