-- name: claims_of_patient
SELECT appointment_id::text, lower(during) AS start_time, upper(during) AS end_time, day
FROM patient_claim
WHERE patient_id = %(patient_id)s::uuid AND appointment_id > %(after)s::uuid
ORDER BY appointment_id
LIMIT %(limit)s::int

-- name: events_of_patient
-- By appointment, since events of a moment ago are not in the feed yet and are the patient's all the same.
WITH visit AS MATERIALIZED (SELECT appointment_id FROM appointment WHERE patient_id = %(patient_id)s::uuid)
SELECT e.event_id, e.version, e.kind, e.event_time, e.actor_subject, e.actor_role, e.acted_by, e.reason, e.before, e.after,
       e.traceparent, e.overridden_rules
FROM visit JOIN event e USING (appointment_id)
WHERE e.event_id > %(after)s::bigint
ORDER BY e.event_id
LIMIT %(limit)s::int

-- name: unfinished_appointments
SELECT appointment_id::text FROM appointment
WHERE patient_id = %(patient_id)s::uuid AND status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS')
ORDER BY start_time, appointment_id

-- name: forget_words_of_appointments
UPDATE appointment SET patient_notes = '', cancel_reason = '', rating_comment = ''
WHERE patient_id = %(patient_id)s::uuid AND (patient_notes <> '' OR cancel_reason <> '' OR rating_comment <> '')

-- name: forget_words_of_events
-- Those that wait for their number are few.
UPDATE event SET reason = '', reason_salt = NULL
WHERE patient_id = %(patient_id)s::uuid AND reason_salt IS NOT NULL
  AND event_id IN (
      SELECT event_id FROM feed WHERE patient_id = %(patient_id)s::uuid
      UNION ALL SELECT event_id FROM event_pending
  )

-- name: forget_answers
-- Saved answers hold whole appointments. What is left of a row refuses a repeat: it is done by nobody a second time.
UPDATE idempotency SET answer = '', fingerprint = ''
WHERE answer LIKE convert_to('%%' || %(patient_id)s || '%%', 'UTF8')
