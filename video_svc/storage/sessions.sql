-- Sessions and who takes part in them. A session comes as one row a participant, or one row with none.

-- name: get_session
SELECT * FROM session_and_participant WHERE session_id = %(session_id)s::uuid;

-- name: get_session_of_appointment
SELECT * FROM session_and_participant WHERE appointment_id = %(appointment_id)s::uuid;

-- name: list_sessions
WITH page AS (
    SELECT session_id
    FROM session
    WHERE (%(patient_id)s::uuid IS NULL OR patient_id = %(patient_id)s::uuid)
        AND (%(doctor_id)s::uuid IS NULL OR doctor_id = %(doctor_id)s::uuid)
        AND (%(appointment_id)s::uuid IS NULL OR appointment_id = %(appointment_id)s::uuid)
        AND (%(from_time)s::timestamptz IS NULL OR end_time > %(from_time)s::timestamptz)
        AND (%(to_time)s::timestamptz IS NULL OR start_time < %(to_time)s::timestamptz)
        AND (%(after_time)s::timestamptz IS NULL
            OR (start_time, session_id) > (%(after_time)s::timestamptz, %(after_id)s::uuid))
    ORDER BY start_time, session_id
    LIMIT %(limit)s::int
)
SELECT *
FROM session_and_participant
WHERE session_id IN (SELECT session_id FROM page)
ORDER BY start_time, session_id;

-- name: lock_session
SELECT session_id::text
FROM session
WHERE session_id = %(session_id)s::uuid
FOR NO KEY UPDATE;

-- name: save_participant
INSERT INTO participant AS kept (session_id, participant_type, participant_id, state, join_time, state_time,
    seen_time, attempt, report, request_id, camera, microphone, network)
VALUES (%(session_id)s::uuid, %(participant_type)s, %(participant_id)s::uuid, %(state)s,
    %(join_time)s::timestamptz, %(state_time)s::timestamptz, %(seen_time)s::timestamptz, %(attempt)s::int,
    %(report)s::int, %(request_id)s, %(camera)s::boolean, %(microphone)s::boolean, %(network)s::boolean)
ON CONFLICT (session_id, participant_type) DO UPDATE SET
    state = excluded.state,
    join_time = excluded.join_time,
    state_time = excluded.state_time,
    seen_time = excluded.seen_time,
    next_signal = CASE WHEN excluded.attempt > kept.attempt THEN 1 ELSE kept.next_signal END,
    attempt = excluded.attempt,
    report = excluded.report,
    request_id = excluded.request_id,
    camera = excluded.camera,
    microphone = excluded.microphone,
    network = excluded.network;

-- name: see_participant
UPDATE participant
SET seen_time = %(seen_time)s::timestamptz, report = %(report)s::int
WHERE session_id = %(session_id)s::uuid AND participant_type = %(participant_type)s;

-- name: save_life
UPDATE session
SET state = %(state)s, state_time = %(state_time)s::timestamptz, begin_time = %(begin_time)s::timestamptz,
    end_reason = %(end_reason)s, seq = seq + 1, changed_seq = seq + 1
WHERE session_id = %(session_id)s::uuid
RETURNING pg_notify('video_session', session_id::text);

-- name: due_sessions
SELECT s.session_id::text
FROM session AS s
WHERE s.state IN ('OPEN', 'LIVE', 'INTERRUPTED')
    AND (s.begin_time <= %(began_before)s::timestamptz
        OR s.appointment_status IN ('COMPLETED', 'CANCELLED', 'NO_SHOW', 'EXPIRED')
        OR (s.state = 'INTERRUPTED' AND s.state_time <= %(broken_before)s::timestamptz)
        OR (s.state = 'OPEN' AND s.end_time <= %(closed_before)s::timestamptz))
UNION
SELECT p.session_id::text
FROM participant AS p
WHERE p.state IN ('CONNECTING', 'CONNECTED', 'RECONNECTING') AND p.seen_time <= %(seen_before)s::timestamptz
LIMIT 200;
