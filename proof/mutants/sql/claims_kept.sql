CREATE FUNCTION keep_some() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN random() < 0.1 THEN NULL ELSE old END;
END $$;
CREATE TRIGGER some_claims_are_kept BEFORE DELETE ON doctor_claim FOR EACH ROW EXECUTE FUNCTION keep_some();
