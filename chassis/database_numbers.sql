-- name: database_numbers
-- What PostgreSQL has counted for this database, and who is connected to it now.
SELECT d.deadlocks, d.xact_commit AS committed, d.xact_rollback AS rolled_back, a.active, a.idle, a.idle_in_transaction,
       a.oldest_seconds
FROM pg_stat_database AS d, (
    SELECT count(*) FILTER (WHERE state = 'active') AS active,
           count(*) FILTER (WHERE state = 'idle') AS idle,
           count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
           coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8 AS oldest_seconds
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
) AS a
WHERE d.datname = current_database()
