-- Holds that run out, approval, arrivals, ratings, the policy behind a score, and the doctor's own daily maximum
-- (docs/decisions/0007).

ALTER TABLE appointment
    -- When a hold runs out, by the clock of the database. Null unless the appointment is held, or was when it expired.
    ADD COLUMN hold_expire_time timestamptz,
    -- What the doctor wanted when the time was offered, so that confirming a hold asks nobody.
    ADD COLUMN requires_approval boolean NOT NULL DEFAULT false,
    -- The version of the weights behind match_score; 0 where no match was made.
    ADD COLUMN match_policy_version int NOT NULL DEFAULT 0,
    ADD COLUMN patient_arrival_time timestamptz,
    ADD COLUMN doctor_arrival_time timestamptz,
    ADD COLUMN rating int CHECK (rating BETWEEN 1 AND 5),
    ADD COLUMN rating_comment text NOT NULL DEFAULT '';

-- Holds are few, and those that have run out and are not cleared away yet are fewer still.
CREATE INDEX appointment_held ON appointment (hold_expire_time) WHERE status = 'HELD';

CREATE OR REPLACE FUNCTION appointment_snapshot(a appointment) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(a) - 'patient_notes' - 'cancel_reason' - 'rating_comment'
$$;

-- The doctor's daily maximum, as the patient's: the n-th visit of a day takes an ordinal, there is one row an ordinal,
-- and no ordinal at or past the maximum. A doctor without a maximum has no ordinals, and bookers of different times
-- have nothing to wait for.
ALTER TABLE doctor_claim
    ADD COLUMN day date,
    ADD COLUMN day_ordinal int,
    ADD COLUMN day_limit int,
    ADD CHECK (num_nonnulls(day_ordinal, day_limit) <> 1),
    ADD CHECK (day_ordinal >= 0 AND day_ordinal < day_limit),
    ADD CONSTRAINT doctor_claim_daily_limit UNIQUE (doctor_id, day, day_ordinal);
UPDATE doctor_claim d SET day = p.day FROM patient_claim p WHERE p.appointment_id = d.appointment_id;
ALTER TABLE doctor_claim ALTER COLUMN day SET NOT NULL;

-- Whether a doctor has as many visits on a day as they want; a limit of 0 is none. Counted, so that it is right also
-- when the limit was another one, or none, at the time of the day's first bookings.
CREATE FUNCTION doctor_day_is_full(p_doctor_id uuid, p_day date, p_day_limit int) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_day_limit > 0
       AND (SELECT count(*) FROM doctor_claim c WHERE c.doctor_id = p_doctor_id AND c.day = p_day) >= p_day_limit
$$;

-- Takes the lowest free seat of the doctor's time, and with a limit the lowest free ordinal of the doctor's day, and
-- tells the seat; NULL when the time is taken or the day is full.
DROP FUNCTION claim_doctor;
CREATE FUNCTION claim_doctor(
    p_doctor_id uuid, p_appointment_id uuid, p_kind appointment_kind, p_capacity int, p_occupied tstzrange,
    p_day date, p_day_limit int
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    free_ordinal int;
BEGIN
    LOOP
        IF p_day_limit > 0 THEN
            IF doctor_day_is_full(p_doctor_id, p_day, p_day_limit) THEN
                RETURN NULL;
            END IF;
            SELECT o INTO free_ordinal FROM generate_series(0, p_day_limit - 1) o
            WHERE NOT EXISTS (
                SELECT FROM doctor_claim c WHERE c.doctor_id = p_doctor_id AND c.day = p_day AND c.day_ordinal = o
            )
            ORDER BY o LIMIT 1;
            CONTINUE WHEN free_ordinal IS NULL;  -- the day has filled up since it was counted
        END IF;
        FOR free_seat IN 0 .. p_capacity - 1 LOOP
            -- ON CONFLICT waits for a rival in flight without ever deadlocking with it; a plain INSERT may.
            INSERT INTO doctor_claim (
                doctor_id, appointment_id, kind, seat, capacity, occupied, day, day_ordinal, day_limit
            ) VALUES (
                p_doctor_id, p_appointment_id, p_kind, free_seat, p_capacity, p_occupied, p_day, free_ordinal,
                CASE WHEN p_day_limit > 0 THEN p_day_limit END
            )
            ON CONFLICT DO NOTHING;
            IF FOUND THEN
                RETURN free_seat;
            END IF;
        END LOOP;
        -- Refused by the time, or by another booking that took the same ordinal a moment ago.
        IF free_ordinal IS NULL OR NOT EXISTS (
            SELECT FROM doctor_claim c
            WHERE c.doctor_id = p_doctor_id AND c.day = p_day AND c.day_ordinal = free_ordinal
        ) THEN
            RETURN NULL;
        END IF;
    END LOOP;
END $$;

-- As in 0003, and:
--
-- p_statuses says what each candidate becomes; p_hold_expire_times when it runs out, if it is a hold. DOCTOR_DAY_FULL:
-- the one candidate there is falls on a day on which its doctor has enough. With p_heed_holds, the outcome is
-- HOLDS_RAN_OUT as soon as a candidate is refused while a hold of the patient or of one of the doctors has run out. To
-- clear them away (expire_holds) is a transaction of its own, since a booking that had freed claims and then waited for
-- others could wait in a circle.
DROP FUNCTION book;
CREATE FUNCTION book(
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
    heed_holds boolean := p_heed_holds;
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
        IF heed_holds THEN
            heed_holds := false;
            IF EXISTS (
                SELECT FROM appointment a
                WHERE a.status = 'HELD' AND a.hold_expire_time <= p_now
                  AND (a.patient_id = p_patient_id OR a.doctor_id = ANY (p_doctor_ids))
            ) THEN
                outcome := 'HOLDS_RAN_OUT';
                EXIT;
            END IF;
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

-- As in 0004, with the doctor's daily maximum (0 is none), of which TM001 says DOCTOR_DAY_FULL.
DROP FUNCTION move_claims;
CREATE FUNCTION move_claims(
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
    DELETE FROM patient_claim WHERE patient_id = p_patient_id AND appointment_id = p_appointment_id;
    new_seat := claim_doctor(
        p_doctor_id, p_appointment_id, p_kind, p_capacity,
        tstzrange(p_start_time, p_end_time + make_interval(mins => p_buffer_minutes)), p_day, p_doctor_day_limit
    );
    IF new_seat IS NULL THEN
        RAISE EXCEPTION '%', CASE WHEN doctor_day_is_full(p_doctor_id, p_day, p_doctor_day_limit)
                             THEN 'DOCTOR_DAY_FULL' ELSE 'SLOT_TAKEN' END USING ERRCODE = 'TM001';
    END IF;
    outcome := claim_patient(
        p_patient_id, p_appointment_id, tstzrange(p_start_time, p_end_time), p_day, p_day_limit
    );
    IF outcome <> 'OK' THEN
        RAISE EXCEPTION '%', outcome USING ERRCODE = 'TM002';
    END IF;
    RETURN new_seat;
END $$;

-- Ends appointments whose rows the transaction has locked: state, event and freed time at once. A reason is kept as the
-- reason of a cancellation.
CREATE FUNCTION end_appointments(
    p_appointment_ids uuid[], p_status appointment_status, p_reason text, p_now timestamptz, p_actor text,
    p_traceparent text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM doctor_claim c USING appointment a
    WHERE a.appointment_id = ANY (p_appointment_ids)
      AND c.doctor_id = a.doctor_id AND c.appointment_id = a.appointment_id;
    DELETE FROM patient_claim c USING appointment a
    WHERE a.appointment_id = ANY (p_appointment_ids)
      AND c.patient_id = a.patient_id AND c.appointment_id = a.appointment_id;
    WITH before AS (
        SELECT a.appointment_id, appointment_snapshot(a) AS snapshot FROM appointment a
        WHERE a.appointment_id = ANY (p_appointment_ids)
    ), ended AS (
        UPDATE appointment a
        SET status = p_status, cancel_reason = p_reason, version = a.version + 1, update_time = p_now
        WHERE a.appointment_id = ANY (p_appointment_ids)
        RETURNING a.appointment_id, a.version, a.patient_id, a.doctor_id, appointment_snapshot(a) AS snapshot
    ), told AS (
        INSERT INTO event (
            appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, before,
            after, traceparent
        )
        SELECT e.appointment_id, e.version, p_status::text, p_now, e.patient_id, e.doctor_id, p_actor, 'service', '',
               b.snapshot, e.snapshot, p_traceparent
        FROM ended e JOIN before b USING (appointment_id)
        ORDER BY e.appointment_id
        RETURNING event_id
    )
    INSERT INTO event_pending (event_id) SELECT event_id FROM told;
END $$;

-- Lets those of some holds that have run out expire, and tells how many they were.
--
-- Waits for whoever is changing one of them, in the order of their ids and before it frees anything: then it waits for
-- nobody any more, and everybody may wait for it. A confirmation that had the row first has taken the hold away.
CREATE FUNCTION expire_holds(p_appointment_ids uuid[], p_now timestamptz, p_actor text, p_traceparent text)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    due uuid[];
BEGIN
    SELECT coalesce(array_agg(h.appointment_id), '{}') INTO due FROM (
        SELECT a.appointment_id FROM appointment a
        WHERE a.appointment_id = ANY (p_appointment_ids) AND a.status = 'HELD' AND a.hold_expire_time <= p_now
        ORDER BY a.appointment_id FOR UPDATE
    ) AS h;
    PERFORM end_appointments(due, 'EXPIRED', '', p_now, p_actor, p_traceparent);
    RETURN cardinality(due);
END $$;
