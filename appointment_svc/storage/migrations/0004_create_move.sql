-- Moves the claims of an appointment to another time of the same doctor and tells the seat. The caller holds the
-- appointment's row. Raises TM001 when the doctor's new time is taken and TM002 (with the rule as its message) when the
-- patient cannot take it: the transaction is then rolled back, and the old time was never given up.
--
-- A move gives up one time while it waits for another, so two moves could wait for each other. Moves of one doctor and
-- of one patient therefore take turns, by locks that everybody takes in the same order. Bookings need no such lock:
-- whoever books holds nothing that a move waits for, but what it is about to commit.
CREATE FUNCTION move_claims(
    p_appointment_id uuid, p_doctor_id uuid, p_patient_id uuid, p_kind appointment_kind, p_start_time timestamptz,
    p_end_time timestamptz, p_buffer_minutes int, p_capacity int, p_day date, p_day_limit int
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    new_seat int;
    outcome text;
    lock_key bigint;
BEGIN
    FOR lock_key IN
        SELECT DISTINCT k FROM (VALUES
            (hashtextextended('doctor ' || p_doctor_id, 0)), (hashtextextended('patient ' || p_patient_id, 0))
        ) AS keys (k) ORDER BY k
    LOOP
        PERFORM pg_advisory_xact_lock(lock_key);
    END LOOP;
    DELETE FROM doctor_claim WHERE doctor_id = p_doctor_id AND appointment_id = p_appointment_id;
    DELETE FROM patient_claim WHERE patient_id = p_patient_id AND appointment_id = p_appointment_id;
    new_seat := claim_doctor(
        p_doctor_id, p_appointment_id, p_kind, p_capacity,
        tstzrange(p_start_time, p_end_time + make_interval(mins => p_buffer_minutes))
    );
    IF new_seat IS NULL THEN
        RAISE EXCEPTION 'SLOT_TAKEN' USING ERRCODE = 'TM001';
    END IF;
    outcome := claim_patient(
        p_patient_id, p_appointment_id, tstzrange(p_start_time, p_end_time), p_day, p_day_limit
    );
    IF outcome <> 'OK' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'TM002';
    END IF;
    RETURN new_seat;
END $$;
