-- name: backends
SELECT pid FROM pg_stat_activity WHERE datname = 'telemed_appointment' ORDER BY state, random()

-- name: cut_connections
SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE datname = 'telemed_appointment'
