-- Rules that staff set aside: an event of its own, in the same transaction as the change that they were set aside for
-- (docs/decisions/0008).
ALTER TABLE event ADD COLUMN overridden_rules text[];

-- Writes that rules were set aside for the change just made of an appointment, and tells the version after it. The
-- caller has made that change in this transaction, so nobody else can be changing the row.
CREATE FUNCTION note_override(
    p_appointment_id uuid, p_rules text[], p_reason text, p_caller text, p_caller_role text, p_now timestamptz,
    p_traceparent text
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    before_it jsonb;
    noted appointment;
    new_event_id bigint;
BEGIN
    SELECT appointment_snapshot(a) INTO STRICT before_it FROM appointment a WHERE a.appointment_id = p_appointment_id;
    UPDATE appointment a SET version = a.version + 1, update_time = p_now
    WHERE a.appointment_id = p_appointment_id
    RETURNING * INTO noted;
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, before,
        after, traceparent, overridden_rules
    ) VALUES (
        noted.appointment_id, noted.version, 'RULE_OVERRIDDEN', p_now, noted.patient_id, noted.doctor_id, p_caller,
        p_caller_role, p_reason, before_it, appointment_snapshot(noted), p_traceparent, p_rules
    ) RETURNING event_id INTO new_event_id;
    INSERT INTO event_pending (event_id) VALUES (new_event_id);
    RETURN noted.version;
END $$;
