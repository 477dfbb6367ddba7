-- Signals between the browsers of a session, and the events of a session as its watchers read them.

-- name: keep_signal
INSERT INTO signal (session_id, sender, attempt, number, receiver, receiver_attempt, body, create_time)
VALUES (%(session_id)s::uuid, %(sender)s, %(attempt)s::int, %(number)s::int, %(receiver)s,
    %(receiver_attempt)s::int, %(body)s, %(now)s::timestamptz)
ON CONFLICT DO NOTHING;

-- name: pass_on_signals
-- Numbers whatever follows the last signal that was passed on without a gap, and wakes the watchers.
WITH sent AS (
    SELECT next_signal
    FROM participant
    WHERE session_id = %(session_id)s::uuid AND participant_type = %(sender)s
), kept AS (
    SELECT g.number, row_number() OVER (ORDER BY g.number) AS place
    FROM signal AS g, sent
    WHERE g.session_id = %(session_id)s::uuid AND g.sender = %(sender)s AND g.attempt = %(attempt)s::int
        AND g.number >= sent.next_signal
), ready AS (
    SELECT kept.number, kept.place
    FROM kept, sent
    WHERE kept.number = sent.next_signal + kept.place - 1
), placed AS (
    UPDATE signal AS g
    SET seq = s.seq + ready.place
    FROM ready, session AS s
    WHERE g.session_id = %(session_id)s::uuid AND g.sender = %(sender)s AND g.attempt = %(attempt)s::int
        AND g.number = ready.number AND s.session_id = g.session_id
    RETURNING g.number
), moved AS (
    UPDATE participant AS p
    SET next_signal = p.next_signal + (SELECT count(*) FROM ready)
    WHERE p.session_id = %(session_id)s::uuid AND p.participant_type = %(sender)s
    RETURNING p.next_signal
), counted AS (
    UPDATE session AS s
    SET seq = s.seq + (SELECT count(*) FROM ready)
    WHERE s.session_id = %(session_id)s::uuid AND EXISTS (SELECT 1 FROM ready)
    RETURNING pg_notify('video_session', s.session_id::text)
)
SELECT moved.next_signal, (SELECT count(*) FROM placed) AS placed, (SELECT count(*) FROM counted) AS told
FROM moved;

-- name: signal_gap
SELECT p.next_signal, count(g.number) AS waiting, min(g.create_time) AS oldest
FROM participant AS p
LEFT JOIN signal AS g ON g.session_id = p.session_id AND g.sender = p.participant_type AND g.attempt = p.attempt
    AND g.seq IS NULL
WHERE p.session_id = %(session_id)s::uuid AND p.participant_type = %(sender)s
GROUP BY p.next_signal;

-- name: drop_signals_of_side
DELETE FROM signal WHERE session_id = %(session_id)s::uuid AND %(side)s IN (sender, receiver);

-- name: drop_signals_of_session
DELETE FROM signal WHERE session_id = %(session_id)s::uuid;

-- name: drop_old_signals
DELETE FROM signal
WHERE create_time <= %(before)s::timestamptz
    OR (create_time <= %(connected_before)s::timestamptz
        AND session_id IN (SELECT session_id FROM session WHERE state IN ('LIVE', 'INTERRUPTED')));

-- name: session_head
SELECT seq, changed_seq FROM session WHERE session_id = %(session_id)s::uuid;

-- name: signals_after
SELECT g.seq, g.sender, g.attempt, g.number, g.receiver_attempt, g.body
FROM signal AS g
JOIN participant AS p ON p.session_id = g.session_id AND p.participant_type = g.receiver
    AND p.attempt = g.receiver_attempt
WHERE g.session_id = %(session_id)s::uuid AND g.receiver = %(receiver)s AND g.seq > %(after_seq)s::bigint
ORDER BY g.seq
LIMIT 200;

-- name: keep_ticket
INSERT INTO stream_ticket (ticket_hash, session_id, subject, role, expire_time)
VALUES (%(ticket_hash)s, %(session_id)s::uuid, %(subject)s, %(role)s, %(expire_time)s::timestamptz);

-- name: redeem_ticket
DELETE FROM stream_ticket
WHERE ticket_hash = %(ticket_hash)s
RETURNING session_id::text, subject, role, expire_time > %(now)s::timestamptz AS is_good;

-- name: drop_old_tickets
DELETE FROM stream_ticket WHERE expire_time <= %(now)s::timestamptz;
