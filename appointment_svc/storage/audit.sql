-- Nothing here calls a function that lives in the database: whoever changes the history might change those too.

-- name: history_head
SELECT revision, hash FROM feed_head

-- name: history_links
SELECT f.revision, f.event_id, f.patient_id::text, f.doctor_id::text, f.hash, to_jsonb(e)::text AS event
FROM feed f LEFT JOIN event e USING (event_id)
ORDER BY f.revision

-- name: history_unlinked
SELECT e.event_id, e.appointment_id::text, e.version
FROM event e
WHERE NOT EXISTS (SELECT FROM feed f WHERE f.event_id = e.event_id)
  AND NOT EXISTS (SELECT FROM event_pending p WHERE p.event_id = e.event_id)
ORDER BY e.event_id

-- name: note_run
INSERT INTO audit_run (checked, faults, head) VALUES (%(checked)s::bigint, %(faults)s::bigint, %(head)s)
