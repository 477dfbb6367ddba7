-- As in 0006, but the patient's old time is given up only once the doctor's new one is sure.
--
-- Who waits in a circle? A booking holds its doctor's claim while it waits for its patient's. A move that had deleted the
-- claims of both and then waited for the doctor's new time could meet a booking of the same patient, which waited for
-- the patient's old one (seen with groups, where both find a seat). Now a move waits for bookings of its doctor while
-- the patient's claim still stands, so that such a booking is refused at once; and afterwards only for claims of its
-- patient, whose holders wait for nobody.
CREATE OR REPLACE FUNCTION move_claims(
    p_appointment_id uuid, p_doctor_id uuid, p_patient_id uuid, p_kind appointment_kind, p_start_time timestamptz,
    p_end_time timestamptz, p_buffer_minutes int, p_capacity int, p_day date, p_day_limit int,
    p_doctor_day_limit int DEFAULT 0
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
    new_seat := claim_doctor(
        p_doctor_id, p_appointment_id, p_kind, p_capacity,
        tstzrange(p_start_time, p_end_time + make_interval(mins => p_buffer_minutes)), p_day, p_doctor_day_limit
    );
    IF new_seat IS NULL THEN
        RAISE EXCEPTION '%', CASE WHEN doctor_day_is_full(p_doctor_id, p_day, p_doctor_day_limit)
                             THEN 'DOCTOR_DAY_FULL' ELSE 'SLOT_TAKEN' END USING ERRCODE = 'TM001';
    END IF;
    DELETE FROM patient_claim WHERE patient_id = p_patient_id AND appointment_id = p_appointment_id;
    outcome := claim_patient(
        p_patient_id, p_appointment_id, tstzrange(p_start_time, p_end_time), p_day, p_day_limit
    );
    IF outcome <> 'OK' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'TM002';
    END IF;
    RETURN new_seat;
END $$;
