-- name: pending
SELECT count(*)::bigint FROM event_pending

-- name: head
SELECT revision FROM feed_head

-- name: doctor_cursor
SELECT number FROM feed_cursor

-- name: video_cursor
SELECT coalesce(max(revision), 0)::bigint FROM feed_cursor
