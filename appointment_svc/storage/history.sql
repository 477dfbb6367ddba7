-- name: list_events
SELECT event_id, version, kind, event_time, actor_subject, actor_role, reason, before, after, traceparent,
       overridden_rules, acted_by
FROM event
WHERE appointment_id = %(appointment_id)s::uuid AND event_id > %(after)s::bigint
ORDER BY event_id
LIMIT %(limit)s::int
