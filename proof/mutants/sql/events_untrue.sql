CREATE FUNCTION tell_untruth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.after := new.after || jsonb_build_object('seat', (new.after ->> 'seat')::int + 1);
    RETURN new;
END $$;
CREATE TRIGGER events_are_untrue BEFORE INSERT ON event
    FOR EACH ROW WHEN (new.kind = 'RESCHEDULED') EXECUTE FUNCTION tell_untruth();
