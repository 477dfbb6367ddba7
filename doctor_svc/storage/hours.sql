-- The rules of availability and the exceptions to them. Rules and overrides leave as arrays of their columns, in the
-- order in which hour_rows.py takes them and the schedules of queries.sql hold them.

-- name: lock_doctor
SELECT FROM doctor WHERE doctor_id = %(doctor_id)s::uuid FOR NO KEY UPDATE

-- name: get_zone
SELECT timezone FROM doctor WHERE doctor_id = %(doctor_id)s::uuid

-- name: list_rules
SELECT json_build_array(
           a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes, a.buffer_minutes,
           a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end, a.notice_minutes,
           a.horizon_days, a.version) AS rule
FROM availability_rule AS a
WHERE a.doctor_id = %(doctor_id)s::uuid AND a.kind = %(kind)s
ORDER BY a.rule_id

-- name: get_rule
SELECT json_build_array(
           a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes, a.buffer_minutes,
           a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end, a.notice_minutes,
           a.horizon_days, a.version) AS rule
FROM availability_rule AS a
WHERE a.rule_id = %(rule_id)s::uuid AND a.doctor_id = %(doctor_id)s::uuid

-- name: page_rules
SELECT (
    SELECT json_agg(json_build_array(
               a.rule_id, a.doctor_id, a.day_of_week, a.specific_date, a.kind, a.duration_minutes, a.buffer_minutes,
               a.capacity, a.morning_start, a.morning_end, a.afternoon_start, a.afternoon_end, a.notice_minutes,
               a.horizon_days, a.version) ORDER BY a.rule_id)
    FROM (
        SELECT r.* FROM availability_rule AS r
        WHERE r.doctor_id = d.doctor_id AND (%(after)s::uuid IS NULL OR r.rule_id > %(after)s::uuid)
        ORDER BY r.rule_id
        LIMIT %(most)s::int
    ) AS a
) AS rules
FROM doctor AS d
WHERE d.doctor_id = %(doctor_id)s::uuid

-- name: insert_rule
INSERT INTO availability_rule (rule_id, doctor_id, day_of_week, specific_date, kind, duration_minutes, buffer_minutes,
                               capacity, morning_start, morning_end, afternoon_start, afternoon_end, notice_minutes,
                               horizon_days, version, create_time)
VALUES (%(rule_id)s::uuid, %(doctor_id)s::uuid, %(day_of_week)s, %(specific_date)s, %(kind)s, %(duration_minutes)s,
        %(buffer_minutes)s, %(capacity)s, %(morning_start)s::time, %(morning_end)s::time,
        %(afternoon_start)s::time, %(afternoon_end)s::time, %(notice_minutes)s, %(horizon_days)s, %(version)s,
        %(create_time)s)

-- name: put_rule
UPDATE availability_rule
SET day_of_week = %(day_of_week)s,
    specific_date = %(specific_date)s,
    kind = %(kind)s,
    duration_minutes = %(duration_minutes)s,
    buffer_minutes = %(buffer_minutes)s,
    capacity = %(capacity)s,
    morning_start = %(morning_start)s::time,
    morning_end = %(morning_end)s::time,
    afternoon_start = %(afternoon_start)s::time,
    afternoon_end = %(afternoon_end)s::time,
    notice_minutes = %(notice_minutes)s,
    horizon_days = %(horizon_days)s,
    version = %(version)s
WHERE rule_id = %(rule_id)s::uuid

-- name: delete_rule
DELETE FROM availability_rule WHERE rule_id = %(rule_id)s::uuid

-- name: page_overrides
SELECT (
    SELECT json_agg(json_build_array(
               o.override_id, o.doctor_id, o.kind, o.first_day, o.last_day, o.window_start, o.window_end,
               o.extra_kind, o.duration_minutes, o.buffer_minutes, o.capacity, o.overrides_blocks, o.note)
               ORDER BY o.first_day, o.override_id)
    FROM (
        SELECT * FROM availability_override AS x
        WHERE x.doctor_id = d.doctor_id
          AND (%(from)s::date IS NULL OR x.last_day >= %(from)s::date)
          AND (%(after_day)s::date IS NULL
               OR (x.first_day, x.override_id) > (%(after_day)s::date, %(after_id)s::uuid))
        ORDER BY x.first_day, x.override_id
        LIMIT %(most)s::int
    ) AS o
) AS overrides
FROM doctor AS d
WHERE d.doctor_id = %(doctor_id)s::uuid

-- name: insert_override
INSERT INTO availability_override (override_id, doctor_id, kind, first_day, last_day, window_start, window_end,
                                   extra_kind, duration_minutes, buffer_minutes, capacity, overrides_blocks, note,
                                   create_time)
VALUES (%(override_id)s::uuid, %(doctor_id)s::uuid, %(kind)s, %(first_day)s, %(last_day)s, %(window_start)s::time,
        %(window_end)s::time, %(extra_kind)s, %(duration_minutes)s, %(buffer_minutes)s, %(capacity)s,
        %(overrides_blocks)s, %(note)s, %(create_time)s)

-- name: delete_override
DELETE FROM availability_override
WHERE override_id = %(override_id)s::uuid AND doctor_id = %(doctor_id)s::uuid

-- name: booked_within
SELECT v.appointment_id::text, v.patient_id::text, v.kind, v.start_time, v.end_time, (count(*) OVER ())::int AS found
FROM visit AS v
WHERE v.doctor_id = %(doctor_id)s::uuid
  AND v.status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
  AND (v.hold_expire_time IS NULL OR v.hold_expire_time > %(now)s::timestamptz)
  -- All of the stretches at once, for the index (no visit is longer than a day); then each.
  AND v.start_time >= %(earliest)s::timestamptz - interval '1 day' AND v.start_time < %(latest)s::timestamptz
  AND v.end_time > %(now)s::timestamptz
  AND EXISTS (
      SELECT
      FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS closed (since, until)
      WHERE v.start_time < closed.until AND v.end_time > closed.since
  )
ORDER BY v.start_time, v.appointment_id
LIMIT %(most)s::int
