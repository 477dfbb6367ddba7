-- What the databases hold when everything is quiet. Snapshots are built here, not by the system's own functions.

-- name: appointments
SELECT appointment_id::text AS id, patient_id::text AS patient, doctor_id::text AS doctor, status::text, kind::text,
       start_time AS start, end_time AS until, buffer_minutes AS buffer, seat, version, to_jsonb(a) AS row
FROM appointment a

-- name: events
SELECT e.event_id, e.appointment_id::text AS id, e.version, e.kind, e.event_time AS time, e.actor_subject AS actor,
       e.actor_role AS role, e.before, e.after, split_part(e.traceparent, '-', 2) AS trace, f.revision
FROM event e LEFT JOIN feed f USING (event_id)
ORDER BY f.revision NULLS LAST, e.event_id

-- name: feed
SELECT revision, event_id FROM feed ORDER BY revision

-- name: feed_head
SELECT (SELECT revision FROM feed_head) AS revision, (SELECT count(*) FROM event_pending) AS pending

-- name: doctor_claims
SELECT doctor_id::text AS owner, appointment_id::text AS id, kind::text, seat, lower(occupied) AS start,
       upper(occupied) AS until
FROM doctor_claim

-- name: patient_claims
SELECT patient_id::text AS owner, appointment_id::text AS id, lower(during) AS start, upper(during) AS until, day
FROM patient_claim

-- name: answers
SELECT caller, method, request_id AS key, encode(sha256(answer), 'hex') AS digest FROM idempotency

-- name: attempts
SELECT appointment_id::text AS id, method, outcome FROM booking_attempt WHERE appointment_id IS NOT NULL

-- name: doctors
SELECT doctor_id::text AS id, rating, rating_count FROM doctor

-- name: doctor_copy
SELECT appointment_id::text AS id, doctor_id::text AS doctor, patient_id::text AS patient, kind, status,
       start_time AS start, end_time AS until, upper(occupied) AS occupied_until, seat, version
FROM visit

-- name: doctor_cursor
SELECT number AS cursor FROM feed_cursor

-- name: video_copy
SELECT appointment_id::text AS id, doctor_id::text AS doctor, patient_id::text AS patient, appointment_status AS status,
       start_time AS start, end_time AS until, appointment_version AS version
FROM session

-- name: video_cursor
SELECT coalesce(max(revision), 0) AS cursor FROM feed_cursor
