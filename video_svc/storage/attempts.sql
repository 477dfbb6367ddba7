-- Attempts at a forwarding provider: turns, tracks that are sent, and answers that were given.

-- name: begin_attempt
INSERT INTO attempt (session_id, participant_type, attempt)
VALUES (%(session_id)s::uuid, %(side)s, %(attempt)s::int)
ON CONFLICT DO NOTHING;

-- name: lock_attempt
SELECT provider_session_id, turn_purpose, turn_owner, turn_until, is_lost
FROM attempt
WHERE session_id = %(session_id)s::uuid AND participant_type = %(side)s AND attempt = %(attempt)s::int
FOR NO KEY UPDATE;

-- name: save_attempt
UPDATE attempt
SET provider_session_id = %(provider_session_id)s, turn_purpose = %(turn_purpose)s, turn_owner = %(turn_owner)s,
    turn_until = %(turn_until)s::timestamptz, is_lost = %(is_lost)s::boolean
WHERE session_id = %(session_id)s::uuid AND participant_type = %(side)s AND attempt = %(attempt)s::int;

-- name: keep_tracks
INSERT INTO track (session_id, participant_type, attempt, name, mid)
SELECT %(session_id)s::uuid, %(side)s, %(attempt)s::int, sent.name, sent.mid
FROM unnest(%(names)s::text[], %(mids)s::text[]) AS sent (name, mid)
ON CONFLICT (session_id, participant_type, attempt, name) DO UPDATE SET mid = excluded.mid;

-- name: tell_watchers
UPDATE session
SET seq = seq + 1, changed_seq = seq + 1
WHERE session_id = %(session_id)s::uuid
RETURNING pg_notify('video_session', session_id::text);

-- name: keep_media_answer
INSERT INTO media_answer (session_id, participant_type, attempt, request_id, fingerprint, answer, create_time)
VALUES (%(session_id)s::uuid, %(side)s, %(attempt)s::int, %(request_id)s, %(fingerprint)s, %(answer)s,
    %(now)s::timestamptz)
ON CONFLICT DO NOTHING;

-- name: get_media_answer
SELECT fingerprint, answer
FROM media_answer
WHERE session_id = %(session_id)s::uuid AND participant_type = %(side)s AND attempt = %(attempt)s::int
    AND request_id = %(request_id)s;

-- name: tracks_sent
SELECT a.provider_session_id, t.name
FROM participant AS p
JOIN attempt AS a USING (session_id, participant_type, attempt)
JOIN track AS t USING (session_id, participant_type, attempt)
WHERE p.session_id = %(session_id)s::uuid AND p.participant_type = %(side)s AND NOT a.is_lost
ORDER BY t.name;

-- name: attempts_to_clean
-- Whoever is told of an attempt has a while for it: another one is told only when that has passed without success.
UPDATE attempt AS a
SET clean_time = %(now)s::timestamptz + interval '30 seconds'
FROM (
    SELECT o.session_id, o.participant_type, o.attempt
    FROM attempt AS o
    JOIN participant AS p USING (session_id, participant_type)
    WHERE NOT o.is_clean AND o.provider_session_id <> '' AND o.clean_time <= %(now)s::timestamptz
        AND (o.is_lost OR o.attempt < p.attempt OR p.state NOT IN ('CONNECTING', 'CONNECTED', 'RECONNECTING'))
    ORDER BY o.clean_time
    LIMIT 50
    FOR UPDATE OF o SKIP LOCKED
) AS over
WHERE (a.session_id, a.participant_type, a.attempt) = (over.session_id, over.participant_type, over.attempt)
RETURNING a.session_id::text, a.participant_type, a.attempt, a.provider_session_id, a.is_lost;

-- name: note_clean
UPDATE attempt
SET is_clean = true
WHERE session_id = %(session_id)s::uuid AND participant_type = %(side)s AND attempt = %(attempt)s::int;

-- name: drop_old_answers
DELETE FROM media_answer WHERE create_time <= %(before)s::timestamptz;
