-- Rewrites a part of a function of the system, and fails when that part is no longer there.
CREATE FUNCTION pg_temp.edit(name text, part text, by text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    source text := pg_get_functiondef(name::regproc);
BEGIN
    IF strpos(source, part) = 0 THEN
        RAISE EXCEPTION 'the function % has no part "%"; write this mutant anew', name, part;
    END IF;
    EXECUTE replace(source, part, by);
END $$;
