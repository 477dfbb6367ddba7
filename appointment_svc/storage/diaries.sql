-- name: read_diary
SELECT 'doctor' AS owner, c.doctor_id::text AS owner_id, a.appointment_id::text, a.doctor_id::text, a.patient_id::text,
       c.kind::text, c.seat, c.capacity, lower(c.occupied) AS start_time, upper(c.occupied) AS end_time,
       c.day, 0 AS day_ordinal
FROM doctor_claim AS c
JOIN appointment AS a USING (appointment_id)
WHERE c.doctor_id = ANY (%(doctor_ids)s::uuid[])
  AND c.occupied && tstzrange(%(earliest)s::timestamptz, %(latest)s::timestamptz, '[]')
  -- A hold that has run out is in nobody's way, cleared away or not.
  AND (a.hold_expire_time IS NULL OR a.hold_expire_time > clock_timestamp() + %(lead)s::interval)
UNION ALL
SELECT 'patient', c.patient_id::text, a.appointment_id::text, a.doctor_id::text, a.patient_id::text,
       a.kind::text, a.seat, 1, lower(c.during), upper(c.during), c.day, c.day_ordinal
FROM patient_claim AS c
JOIN appointment AS a USING (appointment_id)
-- All that lies ahead, and not only the stretch asked for: a day's places count whatever the hour.
WHERE c.patient_id = %(patient_id)s::uuid AND c.day >= (%(earliest)s::timestamptz AT TIME ZONE 'UTC')::date - 1
  AND (a.hold_expire_time IS NULL OR a.hold_expire_time > clock_timestamp() + %(lead)s::interval)
ORDER BY start_time

-- name: newest_change
SELECT e.appointment_id::text, e.version
FROM doctor_claim AS c
JOIN event AS e USING (appointment_id)
WHERE c.doctor_id = ANY (%(doctor_ids)s::uuid[])
  AND c.occupied && tstzrange(%(earliest)s::timestamptz, %(latest)s::timestamptz, '[]')
ORDER BY e.event_id DESC
LIMIT 1
