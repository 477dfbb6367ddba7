CREATE FUNCTION skip_some() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN random() < 0.3 THEN NULL ELSE new END;
END $$;
CREATE TRIGGER some_events_are_skipped BEFORE INSERT ON event
    FOR EACH ROW WHEN (new.kind = 'CANCELLED') EXECUTE FUNCTION skip_some();
