-- name: add_appointments
-- In the order of the ids, so that two imports of the same visits wait for each other and never both.
INSERT INTO appointment (
    appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
    specialty_required, patient_notes, match_score, is_preferred_doctor, cancel_reason, version, create_time,
    update_time, hold_expire_time, requires_approval, match_policy_version, rating, rating_comment
)
SELECT appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
       specialty_required, patient_notes, match_score, is_preferred_doctor, cancel_reason, version, create_time,
       update_time, hold_expire_time, requires_approval, match_policy_version, rating, rating_comment
FROM jsonb_populate_recordset(NULL::appointment, %(rows)s::jsonb)
ORDER BY appointment_id
ON CONFLICT DO NOTHING
RETURNING appointment_id::text

-- name: claim_doctors
SELECT a.appointment_id::text,
       claim_doctor(
           a.doctor_id, a.appointment_id, a.kind, wanted.capacity,
           -- A doctor's maximum is for new bookings: what was agreed elsewhere is agreed.
           tstzrange(a.start_time, a.end_time + make_interval(mins => a.buffer_minutes)), wanted.day, 0
       ) AS seat
FROM unnest(%(appointment_ids)s::uuid[], %(capacities)s::int[], %(days)s::date[])
    AS wanted (appointment_id, capacity, day)
JOIN appointment a USING (appointment_id)
ORDER BY a.doctor_id, a.start_time, a.appointment_id

-- name: claim_patients
SELECT a.appointment_id::text,
       claim_patient(
           a.patient_id, a.appointment_id, tstzrange(a.start_time, a.end_time), wanted.day, %(daily_limit)s::int
       ) AS outcome
FROM unnest(%(appointment_ids)s::uuid[], %(days)s::date[]) AS wanted (appointment_id, day)
JOIN appointment a USING (appointment_id)
ORDER BY a.patient_id, a.start_time, a.appointment_id

-- name: take_seats
UPDATE appointment a SET seat = taken.seat
FROM unnest(%(appointment_ids)s::uuid[], %(seats)s::int[]) AS taken (appointment_id, seat)
WHERE a.appointment_id = taken.appointment_id AND a.seat <> taken.seat

-- name: tell_imported
WITH told AS (
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, after,
        traceparent
    )
    SELECT a.appointment_id, a.version, 'IMPORTED', %(now)s::timestamptz, a.patient_id, a.doctor_id, %(actor)s,
           %(actor_role)s, '', appointment_snapshot(a), %(traceparent)s
    FROM appointment a
    WHERE a.appointment_id = ANY (%(appointment_ids)s::uuid[])
    ORDER BY a.start_time, a.appointment_id
    RETURNING event_id
)
INSERT INTO event_pending (event_id) SELECT event_id FROM told
