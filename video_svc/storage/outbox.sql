-- What the appointment service has still to be told.

-- name: put_notice
INSERT INTO outbox (session_id, appointment_id, notice, traceparent, create_time, next_time)
VALUES (%(session_id)s::uuid, %(appointment_id)s::uuid, %(notice)s, %(traceparent)s, clock_timestamp(), '-infinity');

-- name: take_notices
-- The oldest of each session, and nobody else's for half a minute: what comes after it waits.
UPDATE outbox AS o
SET next_time = clock_timestamp() + interval '30 seconds', tries = o.tries + 1
FROM (
    SELECT DISTINCT ON (session_id) notice_id
    FROM outbox
    ORDER BY session_id, number
) AS oldest
WHERE o.notice_id = oldest.notice_id AND o.next_time <= clock_timestamp()
RETURNING o.notice_id::text, o.appointment_id::text, o.notice, o.traceparent, o.tries,
    extract(epoch FROM clock_timestamp() - o.create_time)::float8 AS age_seconds;

-- name: put_off_notice
UPDATE outbox
SET next_time = clock_timestamp() + make_interval(secs => %(seconds)s::float8)
WHERE notice_id = %(notice_id)s::uuid;

-- name: drop_notice
DELETE FROM outbox WHERE notice_id = %(notice_id)s::uuid;

-- name: count_notices
SELECT count(*) AS waiting FROM outbox;
