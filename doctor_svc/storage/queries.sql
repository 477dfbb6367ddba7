-- The copy of the visits, and the answers that are saved. Parameters are cast to the types of their columns.

-- name: read_cursor
SELECT number FROM feed_cursor

-- name: keep_visits
-- One statement is one transaction and one round trip. The visits are joined to the cursor as it moves, so that its row
-- is locked before the first of them is written: two replicas never apply batches at once.
WITH moved AS (
    UPDATE feed_cursor SET number = greatest(number, %(number)s::bigint) RETURNING number
)
INSERT INTO visit AS held (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied, seat,
                           version, hold_expire_time, rating)
SELECT appointment_id, doctor_id, patient_id, kind, status, start_time, end_time,
       tstzrange(start_time, occupied_until), seat, version, hold_expire_time, rating
FROM moved
CROSS JOIN unnest(
    %(appointment_ids)s::uuid[], %(doctor_ids)s::uuid[], %(patient_ids)s::uuid[], %(kinds)s::text[],
    %(statuses)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(occupied_until)s::timestamptz[],
    %(seats)s::int[], %(versions)s::int[], %(hold_expire_times)s::timestamptz[], %(ratings)s::int[]
) AS heard (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied_until, seat, version,
            hold_expire_time, rating)
ON CONFLICT (appointment_id) DO UPDATE
SET doctor_id = excluded.doctor_id,
    patient_id = excluded.patient_id,
    kind = excluded.kind,
    status = excluded.status,
    start_time = excluded.start_time,
    end_time = excluded.end_time,
    occupied = excluded.occupied,
    seat = excluded.seat,
    version = excluded.version,
    hold_expire_time = excluded.hold_expire_time,
    rating = excluded.rating
WHERE held.version < excluded.version

-- name: holds_number
SELECT number >= %(number)s::bigint AS holds FROM feed_cursor

-- name: holds_version
SELECT EXISTS (
    SELECT FROM visit WHERE appointment_id = %(appointment_id)s::uuid AND version >= %(version)s::int
) AS holds

-- name: claim_request
INSERT INTO idempotency (caller, method, request_id, fingerprint, create_time)
VALUES (%(caller)s, %(method)s, %(request_id)s, %(fingerprint)s, %(now)s)
ON CONFLICT (caller, method, request_id) DO NOTHING

-- name: get_answer
SELECT fingerprint, answer
FROM idempotency
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: save_answer
UPDATE idempotency
SET answer = %(answer)s
WHERE caller = %(caller)s AND method = %(method)s AND request_id = %(request_id)s

-- name: forget_requests
DELETE FROM idempotency WHERE create_time < %(before)s::timestamptz
