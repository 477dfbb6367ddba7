-- What an event tells of an appointment: everything but the words that people wrote.
CREATE FUNCTION appointment_snapshot(a appointment) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(a) - 'patient_notes' - 'cancel_reason'
$$;

-- Takes the lowest free ordinal of the patient's day. 'OK', or what stands in the way.
CREATE FUNCTION claim_patient(
    p_patient_id uuid, p_appointment_id uuid, p_during tstzrange, p_day date, p_day_limit int
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    free_ordinal int;
BEGIN
    LOOP
        SELECT o INTO free_ordinal FROM generate_series(0, p_day_limit - 1) o
        WHERE NOT EXISTS (
            SELECT FROM patient_claim c WHERE c.patient_id = p_patient_id AND c.day = p_day AND c.day_ordinal = o
        )
        ORDER BY o LIMIT 1;
        IF free_ordinal IS NULL THEN
            RETURN CASE WHEN EXISTS (
                SELECT FROM patient_claim c WHERE c.patient_id = p_patient_id AND c.during && p_during
            ) THEN 'PATIENT_BUSY' ELSE 'DAILY_LIMIT_REACHED' END;
        END IF;
        INSERT INTO patient_claim (patient_id, appointment_id, during, day, day_ordinal, day_limit)
        VALUES (p_patient_id, p_appointment_id, p_during, p_day, free_ordinal, p_day_limit)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN 'OK';
        END IF;
        -- Refused: by an overlapping visit, or by another booking that took the same ordinal a moment ago.
        IF EXISTS (SELECT FROM patient_claim c WHERE c.patient_id = p_patient_id AND c.during && p_during) THEN
            RETURN 'PATIENT_BUSY';
        END IF;
    END LOOP;
END $$;

-- Takes the lowest free seat of the doctor's time and tells which; NULL when there is none.
CREATE FUNCTION claim_doctor(
    p_doctor_id uuid, p_appointment_id uuid, p_kind appointment_kind, p_capacity int, p_occupied tstzrange
) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    FOR free_seat IN 0 .. p_capacity - 1 LOOP
        -- ON CONFLICT waits for a rival in flight without ever deadlocking with it; a plain INSERT may.
        INSERT INTO doctor_claim (doctor_id, appointment_id, kind, seat, capacity, occupied)
        VALUES (p_doctor_id, p_appointment_id, p_kind, free_seat, p_capacity, p_occupied)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN free_seat;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Books the first candidate that the ledger accepts: claims, appointment, event, analytics and the saved answer in
-- one transaction and one round trip.
--
-- Answers one row. outcome BOOKED: candidate is the (1-based) one booked and answer what was saved for it.
-- REPLAYED: answer is the one saved by an earlier call with this request_id. REQUEST_ID_REUSED: that call asked for
-- something else. SLOT_TAKEN: no candidate is free. PATIENT_BUSY, DAILY_LIMIT_REACHED: the patient cannot take this
-- candidate; later ones were not tried. After a refusal nothing is left behind.
--
-- Deadlock-free: whoever holds a doctor's claim waits for the patient's alone, whoever holds the patient's waits for
-- nobody, and a claim once given back ends the call.
CREATE FUNCTION book(
    p_caller text, p_caller_role text, p_method text, p_request_id text, p_fingerprint bytea,
    p_patient_id uuid, p_kind appointment_kind, p_timezone text, p_specialty_required text, p_patient_notes text,
    p_day_limit int, p_now timestamptz, p_traceparent text,
    p_appointment_ids uuid[], p_doctor_ids uuid[], p_start_times timestamptz[], p_end_times timestamptz[],
    p_buffer_minutes int[], p_capacities int[], p_days date[], p_match_scores double precision[],
    p_are_preferred boolean[], p_answers bytea[],
    OUT outcome text, OUT candidate int, OUT answer bytea
) LANGUAGE plpgsql AS $$
DECLARE
    saved idempotency;
    free_seat int;
    booked appointment;
    new_event_id bigint;
    several constant boolean := cardinality(p_appointment_ids) > 1;
BEGIN
    IF p_request_id IS NOT NULL THEN
        INSERT INTO idempotency (caller, method, request_id, fingerprint, create_time)
        VALUES (p_caller, p_method, p_request_id, p_fingerprint, p_now)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT * INTO saved FROM idempotency i
            WHERE i.caller = p_caller AND i.method = p_method AND i.request_id = p_request_id;
            outcome := CASE WHEN saved.fingerprint = p_fingerprint THEN 'REPLAYED' ELSE 'REQUEST_ID_REUSED' END;
            answer := saved.answer;
            RETURN;
        END IF;
    END IF;

    outcome := 'SLOT_TAKEN';
    FOR i IN 1 .. cardinality(p_appointment_ids) LOOP
        candidate := i;
        -- With a choice, a time at which the patient is known to be busy is passed over without touching the doctor's.
        CONTINUE WHEN several AND EXISTS (
            SELECT FROM patient_claim c
            WHERE c.patient_id = p_patient_id AND c.during && tstzrange(p_start_times[i], p_end_times[i])
        );
        free_seat := claim_doctor(
            p_doctor_ids[i], p_appointment_ids[i], p_kind, p_capacities[i],
            tstzrange(p_start_times[i], p_end_times[i] + make_interval(mins => p_buffer_minutes[i]))
        );
        CONTINUE WHEN free_seat IS NULL;
        outcome := claim_patient(
            p_patient_id, p_appointment_ids[i], tstzrange(p_start_times[i], p_end_times[i]), p_days[i], p_day_limit
        );
        IF outcome <> 'OK' THEN
            DELETE FROM doctor_claim c
            WHERE c.doctor_id = p_doctor_ids[i] AND c.appointment_id = p_appointment_ids[i];
        END IF;
        EXIT;
    END LOOP;

    IF outcome <> 'OK' THEN
        IF p_request_id IS NOT NULL THEN
            DELETE FROM idempotency i
            WHERE i.caller = p_caller AND i.method = p_method AND i.request_id = p_request_id;
        END IF;
        RETURN;
    END IF;

    outcome := 'BOOKED';
    answer := p_answers[candidate];
    INSERT INTO appointment (
        appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
        specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time
    ) VALUES (
        p_appointment_ids[candidate], p_patient_id, p_doctor_ids[candidate], 'CONFIRMED', p_kind,
        p_start_times[candidate], p_end_times[candidate], p_buffer_minutes[candidate], free_seat, p_timezone,
        p_specialty_required, p_patient_notes, p_match_scores[candidate], p_are_preferred[candidate], 1, p_now, p_now
    ) RETURNING * INTO booked;
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, after,
        traceparent
    ) VALUES (
        booked.appointment_id, 1, 'BOOKED', p_now, p_patient_id, booked.doctor_id, p_caller, p_caller_role, '',
        appointment_snapshot(booked), p_traceparent
    ) RETURNING event_id INTO new_event_id;
    INSERT INTO event_pending (event_id) VALUES (new_event_id);
    INSERT INTO booking_attempt (
        attempt_time, method, outcome, kind, specialty_required, appointment_id, match_score, is_preferred_doctor
    ) VALUES (
        p_now, p_method, 'BOOKED', p_kind, p_specialty_required, booked.appointment_id, booked.match_score,
        booked.is_preferred_doctor
    );
    IF p_request_id IS NOT NULL THEN
        UPDATE idempotency i SET answer = p_answers[candidate]
        WHERE i.caller = p_caller AND i.method = p_method AND i.request_id = p_request_id;
    END IF;
END $$;
