-- Somebody who may do everything edits an event a moment after it was chained.
ALTER TABLE event DISABLE TRIGGER event_is_append_only;
CREATE FUNCTION edit_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE event SET actor_role = 'admin' WHERE event_id = new.event_id AND actor_role = 'doctor';
    RETURN NULL;
END $$;
CREATE TRIGGER history_is_edited AFTER INSERT ON feed FOR EACH ROW EXECUTE FUNCTION edit_history();
