-- name: book
SELECT outcome, candidate, answer FROM book(
    p_caller => %(caller)s, p_caller_role => %(caller_role)s, p_method => %(method)s,
    p_request_id => %(request_id)s, p_fingerprint => %(fingerprint)s::bytea,
    p_patient_id => %(patient_id)s::uuid, p_kind => %(kind)s::appointment_kind, p_timezone => %(timezone)s,
    p_specialty_required => %(specialty_required)s, p_patient_notes => %(patient_notes)s,
    p_day_limit => %(day_limit)s::int, p_now => %(now)s::timestamptz, p_traceparent => %(traceparent)s,
    p_appointment_ids => %(appointment_ids)s::uuid[], p_doctor_ids => %(doctor_ids)s::uuid[],
    p_start_times => %(start_times)s::timestamptz[], p_end_times => %(end_times)s::timestamptz[],
    p_buffer_minutes => %(buffer_minutes)s::int[], p_capacities => %(capacities)s::int[],
    p_days => %(days)s::date[], p_match_scores => %(match_scores)s::float8[],
    p_are_preferred => %(are_preferred)s::boolean[], p_answers => %(answers)s::bytea[],
    p_statuses => %(statuses)s::appointment_status[], p_hold_expire_times => %(hold_expire_times)s::timestamptz[],
    p_require_approval => %(require_approval)s::boolean[],
    p_match_policy_versions => %(match_policy_versions)s::int[],
    p_doctor_day_limits => %(doctor_day_limits)s::int[], p_heed_holds => %(heed_holds)s::boolean
)

-- name: saved_answer
SELECT fingerprint, answer FROM idempotency
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: claim_request
INSERT INTO idempotency (caller, method, request_id, fingerprint, create_time)
VALUES (%(caller)s, %(method)s, %(request_id)s, %(fingerprint)s::bytea, %(now)s::timestamptz)
ON CONFLICT DO NOTHING

-- name: save_answer
UPDATE idempotency SET answer = %(answer)s::bytea
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: forget_requests
DELETE FROM idempotency WHERE create_time < %(before)s::timestamptz

-- name: note_attempt
INSERT INTO booking_attempt (attempt_time, method, outcome, kind, specialty_required)
VALUES (%(time)s::timestamptz, %(method)s, %(reason)s, %(kind)s::appointment_kind, %(specialty_required)s)

-- name: get_appointment
SELECT appointment_id::text, patient_id::text, doctor_id::text, status::text, kind::text, start_time, end_time,
       buffer_minutes, seat, timezone, specialty_required, patient_notes, match_score, is_preferred_doctor,
       cancel_reason, version, create_time, update_time, hold_expire_time, requires_approval, match_policy_version,
       patient_arrival_time, doctor_arrival_time, rating, rating_comment
FROM appointment WHERE appointment_id = %(appointment_id)s::uuid

-- name: lock_appointment
SELECT appointment_id::text, patient_id::text, doctor_id::text, status::text, kind::text, start_time, end_time,
       buffer_minutes, seat, timezone, specialty_required, patient_notes, match_score, is_preferred_doctor,
       cancel_reason, version, create_time, update_time, hold_expire_time, requires_approval, match_policy_version,
       patient_arrival_time, doctor_arrival_time, rating, rating_comment
FROM appointment WHERE appointment_id = %(appointment_id)s::uuid FOR UPDATE

-- name: list_appointments
SELECT appointment_id::text, patient_id::text, doctor_id::text, status::text, kind::text, start_time, end_time,
       buffer_minutes, seat, timezone, specialty_required, patient_notes, match_score, is_preferred_doctor,
       cancel_reason, version, create_time, update_time, hold_expire_time, requires_approval, match_policy_version,
       patient_arrival_time, doctor_arrival_time, rating, rating_comment
FROM appointment a
WHERE {conditions}
-- Of the table, not of the answer: the id as text would need a sort of its own.
ORDER BY a.start_time DESC, a.appointment_id DESC
LIMIT %(limit)s::int

-- name: release_claims
WITH doctor AS (
    DELETE FROM doctor_claim
    WHERE doctor_id = %(doctor_id)s::uuid AND appointment_id = %(appointment_id)s::uuid
)
DELETE FROM patient_claim
WHERE patient_id = %(patient_id)s::uuid AND appointment_id = %(appointment_id)s::uuid

-- name: move_claims
SELECT move_claims(
    %(appointment_id)s::uuid, %(doctor_id)s::uuid, %(patient_id)s::uuid, %(kind)s::appointment_kind,
    %(start_time)s::timestamptz, %(end_time)s::timestamptz, %(buffer_minutes)s::int, %(capacity)s::int,
    %(day)s::date, %(day_limit)s::int, %(doctor_day_limit)s::int
) AS seat

-- name: change_appointment
WITH before AS (
    SELECT appointment_snapshot(a) AS snapshot FROM appointment a WHERE a.appointment_id = %(appointment_id)s::uuid
), changed AS (
    UPDATE appointment a
    SET status = %(status)s::appointment_status, cancel_reason = %(cancel_reason)s,
        start_time = %(start_time)s::timestamptz, end_time = %(end_time)s::timestamptz,
        buffer_minutes = %(buffer_minutes)s::int, seat = %(seat)s::int, version = %(version)s::int,
        update_time = %(now)s::timestamptz, hold_expire_time = %(hold_expire_time)s::timestamptz,
        patient_arrival_time = %(patient_arrival_time)s::timestamptz,
        doctor_arrival_time = %(doctor_arrival_time)s::timestamptz, rating = %(rating)s::int,
        rating_comment = %(rating_comment)s
    WHERE a.appointment_id = %(appointment_id)s::uuid
    RETURNING a.appointment_id, a.patient_id, a.doctor_id, a.version, appointment_snapshot(a) AS snapshot
), written AS (
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, before,
        after, traceparent
    )
    SELECT c.appointment_id, c.version, %(change_kind)s, %(now)s::timestamptz, c.patient_id, c.doctor_id,
           %(caller)s, %(caller_role)s, %(reason)s, before.snapshot, c.snapshot, %(traceparent)s
    FROM changed c, before
    RETURNING event_id
)
INSERT INTO event_pending (event_id) SELECT event_id FROM written

-- name: sequence_events
SELECT sequence_events(%(batch_size)s::int) AS numbered

-- name: feed_head
SELECT revision, hash FROM feed_head

-- name: feed_position
SELECT f.revision FROM event e JOIN feed f USING (event_id)
WHERE e.appointment_id = %(appointment_id)s::uuid AND e.version = %(version)s::int

-- name: read_feed
SELECT f.revision, e.kind, e.event_time, e.version, e.after, e.traceparent
FROM feed f JOIN event e USING (event_id)
WHERE f.revision > %(after)s::bigint AND f.revision <= %(last)s::bigint AND {conditions}
ORDER BY f.revision
LIMIT %(limit)s::int
