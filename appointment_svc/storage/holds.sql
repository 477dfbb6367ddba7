-- name: moment
SELECT clock_timestamp() AS moment

-- name: expire_holds_of
SELECT expire_holds(
    ARRAY(
        SELECT a.appointment_id FROM appointment a
        WHERE a.status = 'HELD' AND a.hold_expire_time <= %(now)s::timestamptz
          AND (a.patient_id = %(patient_id)s::uuid OR a.doctor_id = ANY (%(doctor_ids)s::uuid[]))
    ),
    %(now)s::timestamptz, %(actor)s, %(traceparent)s
) AS expired
