-- name: samples_of_patient
SELECT q.session_id::text, q.attempt, q.number, q.seconds, q.round_trip_ms, q.jitter_ms, q.loss_percent,
       q.bitrate_kbps, q.is_muted
FROM quality_sample q JOIN session s USING (session_id)
WHERE s.patient_id = %(patient_id)s::uuid AND q.participant_type = 'PATIENT'
  AND (q.session_id, q.attempt, q.number) > (%(session_id)s::uuid, %(attempt)s::int, %(number)s::int)
ORDER BY q.session_id, q.attempt, q.number
LIMIT %(limit)s::int

-- name: sessions_under_way
SELECT appointment_id::text FROM session
WHERE patient_id = %(patient_id)s::uuid AND state IN ('OPEN', 'LIVE', 'INTERRUPTED')
ORDER BY start_time, appointment_id

-- name: forget_signals
DELETE FROM signal g USING session s WHERE g.session_id = s.session_id AND s.patient_id = %(patient_id)s::uuid

-- name: forget_media_answers
DELETE FROM media_answer m USING session s WHERE m.session_id = s.session_id AND s.patient_id = %(patient_id)s::uuid

-- name: forget_tickets
DELETE FROM stream_ticket WHERE subject = %(patient_id)s

-- name: forget_samples
DELETE FROM quality_sample q USING session s
WHERE q.session_id = s.session_id AND q.participant_type = 'PATIENT' AND s.patient_id = %(patient_id)s::uuid

-- name: forget_devices
UPDATE participant p SET camera = NULL, microphone = NULL, network = NULL, request_id = ''
FROM session s
WHERE p.session_id = s.session_id AND p.participant_type = 'PATIENT' AND s.patient_id = %(patient_id)s::uuid
