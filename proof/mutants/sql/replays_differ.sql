-- A field that nobody knows is added to what is kept.
CREATE FUNCTION add_a_field() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.answer := new.answer || '\xa00601'::bytea;
    RETURN new;
END $$;
CREATE TRIGGER answers_are_altered BEFORE UPDATE OF answer ON idempotency FOR EACH ROW EXECUTE FUNCTION add_a_field();
