-- What time alone does to appointments: who is due is found by an index of those who can be, and nobody else.

CREATE INDEX appointment_pending ON appointment (start_time) WHERE status = 'PENDING';
CREATE INDEX appointment_awaited ON appointment (start_time)
    WHERE status = 'CONFIRMED' AND patient_arrival_time IS NULL;
CREATE INDEX appointment_attended ON appointment (end_time)
    WHERE status = 'CONFIRMED' AND patient_arrival_time IS NOT NULL;
CREATE INDEX appointment_in_progress ON appointment (end_time) WHERE status = 'IN_PROGRESS';

-- As in 0006, and the event tells the reason too.
CREATE OR REPLACE FUNCTION end_appointments(
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
        SELECT e.appointment_id, e.version, p_status::text, p_now, e.patient_id, e.doctor_id, p_actor, 'service',
               p_reason, b.snapshot, e.snapshot, p_traceparent
        FROM ended e JOIN before b USING (appointment_id)
        ORDER BY e.appointment_id
        RETURNING event_id
    )
    INSERT INTO event_pending (event_id) SELECT event_id FROM told;
END $$;
