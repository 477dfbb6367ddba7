-- The measured quality of connections.

-- name: keep_samples
INSERT INTO quality_sample (session_id, participant_type, attempt, number, seconds, round_trip_ms, jitter_ms,
    loss_percent, bitrate_kbps, is_muted)
SELECT %(session_id)s::uuid, %(side)s, %(attempt)s::int, one.*
FROM unnest(%(number)s::int[], %(seconds)s::real[], %(round_trip_ms)s::real[], %(jitter_ms)s::real[],
    %(loss_percent)s::real[], %(bitrate_kbps)s::real[], %(is_muted)s::boolean[]) AS one
ON CONFLICT DO NOTHING;

-- name: samples_of_session
SELECT participant_type, attempt, number, seconds, round_trip_ms, jitter_ms, loss_percent, bitrate_kbps, is_muted
FROM quality_sample
WHERE session_id = %(session_id)s::uuid
ORDER BY participant_type, attempt, number;

-- name: sessions_to_rate
SELECT session_id::text
FROM session
WHERE NOT is_rated AND state = 'ENDED'
ORDER BY state_time
LIMIT 50;

-- name: rate_session
UPDATE session
SET quality_rating = %(rating)s::int, connection_issues = %(issues)s::text[], is_rated = true, seq = seq + 1,
    changed_seq = seq + 1
WHERE session_id = %(session_id)s::uuid AND NOT is_rated
RETURNING pg_notify('video_session', session_id::text);

-- name: count_under_way
SELECT state, count(*) AS sessions
FROM session
WHERE state IN ('OPEN', 'LIVE', 'INTERRUPTED')
GROUP BY state;
