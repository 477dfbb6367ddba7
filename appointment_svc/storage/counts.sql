-- name: count_now
-- Each count reads an index of nothing but what it counts.
SELECT (SELECT count(*) FROM appointment
        WHERE status = 'HELD' AND hold_expire_time > %(now)s::timestamptz) AS held,
       (SELECT count(*) FROM appointment WHERE status = 'PENDING') AS pending,
       (SELECT count(*) FROM appointment WHERE status = 'IN_PROGRESS') AS in_progress,
       (SELECT count(*) FROM (SELECT FROM event_pending LIMIT %(most)s::int) AS waiting) AS unnumbered

-- name: last_audit
SELECT faults, extract(epoch FROM clock_timestamp() - run_time)::float8 AS age_seconds
FROM audit_run ORDER BY run_id DESC LIMIT 1
