-- name: note_override
SELECT note_override(
    %(appointment_id)s::uuid, %(rules)s::text[], %(reason)s, %(caller)s, %(caller_role)s, %(now)s::timestamptz,
    %(traceparent)s
) AS version
