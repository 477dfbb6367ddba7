-- name: write_as_hashed
-- How instants and bytes look is part of what is hashed.
SELECT set_config('timezone', 'UTC', true), set_config('bytea_output', 'hex', true)
