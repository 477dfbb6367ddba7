-- As in 0006, but whether holds of the patient or of one of the doctors have run out is asked first of all, and not after
-- a refusal: between a refusal and the question somebody else could have cleared them away, and a time that was free by
-- then was told as taken. The answer is in an index of those that have run out and are not cleared away, which is next to
-- always empty.
CREATE OR REPLACE FUNCTION book(
    p_caller text, p_caller_role text, p_method text, p_request_id text, p_fingerprint bytea,
    p_patient_id uuid, p_kind appointment_kind, p_timezone text, p_specialty_required text, p_patient_notes text,
    p_day_limit int, p_now timestamptz, p_traceparent text,
    p_appointment_ids uuid[], p_doctor_ids uuid[], p_start_times timestamptz[], p_end_times timestamptz[],
    p_buffer_minutes int[], p_capacities int[], p_days date[], p_match_scores double precision[],
    p_are_preferred boolean[], p_answers bytea[],
    -- These have defaults, so that the version of the service before this one still books.
    p_statuses appointment_status[] DEFAULT '{}', p_hold_expire_times timestamptz[] DEFAULT '{}',
    p_require_approval boolean[] DEFAULT '{}', p_match_policy_versions int[] DEFAULT '{}',
    p_doctor_day_limits int[] DEFAULT '{}', p_heed_holds boolean DEFAULT false,
    OUT outcome text, OUT candidate int, OUT answer bytea
) LANGUAGE plpgsql AS $$
DECLARE
    saved idempotency;
    free_seat int;
    booked appointment;
    new_event_id bigint;
    several constant boolean := cardinality(p_appointment_ids) > 1;
BEGIN
    IF p_heed_holds AND EXISTS (
        SELECT FROM appointment a
        WHERE a.status = 'HELD' AND a.hold_expire_time <= p_now
          AND (a.patient_id = p_patient_id OR a.doctor_id = ANY (p_doctor_ids))
    ) THEN
        outcome := 'HOLDS_RAN_OUT';
        RETURN;
    END IF;
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
        free_seat := NULL;
        -- With a choice, a time at which the patient is known to be busy is passed over without touching the doctor's.
        IF NOT several OR NOT EXISTS (
            SELECT FROM patient_claim c
            WHERE c.patient_id = p_patient_id AND c.during && tstzrange(p_start_times[i], p_end_times[i])
        ) THEN
            free_seat := claim_doctor(
                p_doctor_ids[i], p_appointment_ids[i], p_kind, p_capacities[i],
                tstzrange(p_start_times[i], p_end_times[i] + make_interval(mins => p_buffer_minutes[i])),
                p_days[i], coalesce(p_doctor_day_limits[i], 0)
            );
        END IF;
        IF free_seat IS NOT NULL THEN
            outcome := claim_patient(
                p_patient_id, p_appointment_ids[i], tstzrange(p_start_times[i], p_end_times[i]), p_days[i], p_day_limit
            );
            EXIT WHEN outcome = 'OK';
            DELETE FROM doctor_claim c
            WHERE c.doctor_id = p_doctor_ids[i] AND c.appointment_id = p_appointment_ids[i];
        ELSIF NOT several AND doctor_day_is_full(p_doctor_ids[i], p_days[i], coalesce(p_doctor_day_limits[i], 0)) THEN
            outcome := 'DOCTOR_DAY_FULL';
        END IF;
        -- What the patient cannot take ends the call: a claim once given back is waited for by others.
        EXIT WHEN free_seat IS NOT NULL;
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
        specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time,
        hold_expire_time, requires_approval, match_policy_version
    ) VALUES (
        p_appointment_ids[candidate], p_patient_id, p_doctor_ids[candidate],
        coalesce(p_statuses[candidate], 'CONFIRMED'), p_kind,
        p_start_times[candidate], p_end_times[candidate], p_buffer_minutes[candidate], free_seat, p_timezone,
        p_specialty_required, p_patient_notes, p_match_scores[candidate], p_are_preferred[candidate], 1, p_now, p_now,
        p_hold_expire_times[candidate], coalesce(p_require_approval[candidate], false),
        coalesce(p_match_policy_versions[candidate], 0)
    ) RETURNING * INTO booked;
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, after,
        traceparent
    ) VALUES (
        booked.appointment_id, 1, CASE booked.status WHEN 'HELD' THEN 'HELD' ELSE 'BOOKED' END, p_now, p_patient_id,
        booked.doctor_id, p_caller, p_caller_role, '', appointment_snapshot(booked), p_traceparent
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
