-- Signals between the browsers of a session, and the events of a session as its watchers read them.

-- name: pass_on
SELECT outcome, next_number
FROM pass_on(%(session_id)s::uuid, %(sender)s::text, %(attempt)s::int, %(number)s::int, %(receiver)s::text,
    %(receiver_attempt)s::int, %(body)s::bytea, %(now)s::timestamptz, %(most_waiting)s::int,
    make_interval(secs => %(longest_gap)s::float8));

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

-- name: session_news
-- How far a session has come, and the next signals for one side: one row a signal, or one row with none.
SELECT s.seq AS head_seq, s.changed_seq, heard.*
FROM session AS s
LEFT JOIN LATERAL (
    SELECT g.seq, g.sender, g.attempt, g.number, g.receiver_attempt, g.body, o.participant_id
    FROM signal AS g
    JOIN participant AS p ON p.session_id = g.session_id AND p.participant_type = g.receiver
        AND p.attempt = g.receiver_attempt
    JOIN participant AS o ON o.session_id = g.session_id AND o.participant_type = g.sender
    WHERE g.session_id = s.session_id AND g.receiver = %(receiver)s AND g.seq > %(after_seq)s::bigint
    ORDER BY g.seq
    LIMIT %(most)s::int
) AS heard ON true
WHERE s.session_id = %(session_id)s::uuid
ORDER BY heard.seq;

-- name: keep_ticket
INSERT INTO stream_ticket (ticket_hash, session_id, subject, role, delegate, expire_time)
VALUES (%(ticket_hash)s, %(session_id)s::uuid, %(subject)s, %(role)s, %(delegate)s, %(expire_time)s::timestamptz);

-- name: redeem_ticket
DELETE FROM stream_ticket
WHERE ticket_hash = %(ticket_hash)s
RETURNING session_id::text, subject, role, delegate, expire_time > %(now)s::timestamptz AS is_good;

-- name: drop_old_tickets
DELETE FROM stream_ticket WHERE expire_time <= %(now)s::timestamptz;
