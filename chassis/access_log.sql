-- name: record_accesses
SELECT record_accesses(%(rows)s::jsonb) AS number

-- name: access_head
SELECT number, hash FROM access_head

-- name: list_accesses
SELECT number, access_time, method, action, actor_subject, actor_role, acted_by, purpose, reason, entity,
       entity_ids::text[], patient_ids::text[], query, outcome, outcome_reason, traceparent
FROM access
WHERE number < %(before)s::bigint AND {conditions}
ORDER BY number DESC
LIMIT %(limit)s::int

-- name: find_erasure
SELECT access_time FROM access
WHERE patient_ids @> ARRAY[%(patient_id)s::uuid] AND method = %(method)s AND query = %(query)s AND outcome = 'OK'
ORDER BY number LIMIT 1

-- name: forget_access_reasons
UPDATE access SET reason = '', reason_salt = NULL
WHERE patient_ids @> ARRAY[%(patient_id)s::uuid] AND reason_salt IS NOT NULL

-- Nothing below calls a function that lives in the database: whoever changes the record might change those too.

-- name: access_links
SELECT number, hash, to_jsonb(a)::text AS access FROM access a ORDER BY number
