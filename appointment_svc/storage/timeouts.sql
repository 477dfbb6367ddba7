-- Each statement is a transaction: it takes up to `most` appointments that are due and that nobody else has in hand,
-- and settles them. Replicas that run it at once share the work out between them.

-- name: hold_runs_out
WITH due AS (
    SELECT a.appointment_id FROM appointment a
    WHERE a.status = 'HELD' AND a.hold_expire_time <= %(due)s::timestamptz
    ORDER BY a.hold_expire_time LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
SELECT count(*)::int AS settled, end_appointments(
    array_agg(appointment_id), %(becomes)s::appointment_status, %(reason)s, %(now)s::timestamptz, %(actor)s, ''
) FROM due HAVING count(*) > 0

-- name: approval_never_came
WITH due AS (
    SELECT a.appointment_id FROM appointment a
    WHERE a.status = 'PENDING' AND a.start_time <= %(due)s::timestamptz
    ORDER BY a.start_time LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
SELECT count(*)::int AS settled, end_appointments(
    array_agg(appointment_id), %(becomes)s::appointment_status, %(reason)s, %(now)s::timestamptz, %(actor)s, ''
) FROM due HAVING count(*) > 0

-- name: patient_never_came
WITH due AS (
    SELECT a.appointment_id FROM appointment a
    WHERE a.status = 'CONFIRMED' AND a.patient_arrival_time IS NULL AND a.start_time <= %(due)s::timestamptz
    ORDER BY a.start_time LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
SELECT count(*)::int AS settled, end_appointments(
    array_agg(appointment_id), %(becomes)s::appointment_status, %(reason)s, %(now)s::timestamptz, %(actor)s, ''
) FROM due HAVING count(*) > 0

-- name: doctor_never_came
WITH due AS (
    SELECT a.appointment_id FROM appointment a
    WHERE a.status = 'CONFIRMED' AND a.patient_arrival_time IS NOT NULL AND a.end_time <= %(due)s::timestamptz
    ORDER BY a.end_time LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
SELECT count(*)::int AS settled, end_appointments(
    array_agg(appointment_id), %(becomes)s::appointment_status, %(reason)s, %(now)s::timestamptz, %(actor)s, ''
) FROM due HAVING count(*) > 0

-- name: visit_ends
WITH due AS (
    SELECT a.appointment_id FROM appointment a
    WHERE a.status = 'IN_PROGRESS' AND a.end_time <= %(due)s::timestamptz
    ORDER BY a.end_time LIMIT %(most)s::int FOR UPDATE SKIP LOCKED
)
SELECT count(*)::int AS settled, end_appointments(
    array_agg(appointment_id), %(becomes)s::appointment_status, %(reason)s, %(now)s::timestamptz, %(actor)s, ''
) FROM due HAVING count(*) > 0
