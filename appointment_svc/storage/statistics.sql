-- name: visit_stats
WITH by_kind AS (
    SELECT kind,
           count(*) AS total,
           count(*) FILTER (WHERE status = 'COMPLETED') AS completed,
           count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled,
           count(*) FILTER (WHERE status = 'NO_SHOW') AS no_show,
           count(*) FILTER (WHERE status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS')) AS upcoming,
           sum(extract(epoch FROM end_time - start_time)) FILTER (WHERE status = 'COMPLETED') AS seconds,
           sum(match_score::numeric) FILTER (WHERE match_score > 0) AS score,
           count(*) FILTER (WHERE match_score > 0) AS scored
    FROM appointment
    WHERE status NOT IN ('HELD', 'EXPIRED') AND {conditions}
    GROUP BY kind
), met AS (
    -- Probes of the index of completed visits, one or two a visit, whatever the filter: a join of sums was now and then
    -- taken for a small one, and then took seconds.
    SELECT count(*) FILTER (WHERE again) AS continuity,
           count(*) FILTER (WHERE again OR EXISTS (
               SELECT FROM appointment e
               WHERE e.status = 'COMPLETED' AND e.patient_id = c.patient_id AND e.start_time < c.start_time
           )) AS possible
    FROM (
        SELECT patient_id, start_time, EXISTS (
                   SELECT FROM appointment e
                   WHERE e.status = 'COMPLETED' AND e.patient_id = a.patient_id AND e.doctor_id = a.doctor_id
                     AND e.start_time < a.start_time
               ) AS again
        FROM appointment a
        WHERE status = 'COMPLETED' AND {conditions}
        OFFSET 0  -- keeps the planner from asking twice whether it was the same doctor again
    ) c
), summed AS (
    SELECT coalesce(sum(total), 0)::int AS total,
           coalesce(sum(completed), 0)::int AS completed,
           coalesce(sum(cancelled), 0)::int AS cancelled,
           coalesce(sum(no_show), 0)::int AS no_show,
           coalesce(sum(upcoming), 0)::int AS upcoming,
           round(coalesce(sum(seconds) / 60 / nullif(sum(completed), 0), 0), 6)::float8 AS average_minutes,
           round(coalesce(sum(score) / nullif(sum(scored), 0), 0), 6)::float8 AS average_match_score,
           coalesce(jsonb_object_agg(kind, total) FILTER (WHERE kind IS NOT NULL), '{}') AS by_kind
    FROM by_kind
)
SELECT s.*, m.continuity, m.possible AS continuity_possible,
       round(coalesce(m.continuity::numeric / nullif(m.possible, 0), 0), 6)::float8 AS continuity_rate
FROM summed s, met m

-- name: attempt_stats
WITH attempt AS (
    SELECT width_bucket(a.attempt_time, %(midnights)s::timestamptz[]) AS day,
           a.method, a.outcome, a.outcome = 'BOOKED' AS succeeded, a.match_score, a.is_preferred_doctor,
           lower(a.specialty_required) AS specialty,
           -- A hold is a booking once it was confirmed, whatever became of the visit then.
           a.outcome = 'BOOKED' AND (a.method <> 'HoldSlot' OR EXISTS (
               SELECT FROM event e
               WHERE e.appointment_id = a.appointment_id AND e.kind IN ('CONFIRMED', 'PENDING')
           )) AS booked
    FROM booking_attempt a
    WHERE a.attempt_time >= (%(midnights)s::timestamptz[])[1]
      AND a.attempt_time < (%(midnights)s::timestamptz[])[cardinality(%(midnights)s::timestamptz[])]
), counted AS (
    SELECT day,
           count(*) FILTER (WHERE booked) AS bookings,
           count(*) FILTER (WHERE booked AND method = 'SmartBook') AS smart_bookings,
           count(*) FILTER (WHERE booked AND method = 'Book') AS manual_bookings,
           count(*) FILTER (WHERE booked AND method = 'HoldSlot') AS confirmed_holds,
           count(*) FILTER (WHERE booked AND is_preferred_doctor) AS continuity_bookings,
           round(coalesce(avg(match_score::numeric) FILTER (WHERE booked AND match_score > 0), 0), 6)
               AS average_match_score,
           count(*) FILTER (WHERE method = 'SmartBook') AS smart_attempts,
           count(*) FILTER (WHERE method = 'Book') AS manual_attempts,
           count(*) FILTER (WHERE method = 'HoldSlot') AS hold_attempts,
           count(*) FILTER (WHERE succeeded AND method = 'HoldSlot') AS holds
    FROM attempt GROUP BY GROUPING SETS ((day), ())
), figures AS (
    SELECT *,
           round(coalesce(smart_bookings::numeric / nullif(smart_attempts, 0), 0), 6) AS smart_success_rate,
           round(coalesce(manual_bookings::numeric / nullif(manual_attempts, 0), 0), 6) AS manual_success_rate
    FROM counted
), failures AS (
    SELECT day, outcome AS reason, count(*) AS count
    FROM attempt WHERE NOT succeeded
    GROUP BY GROUPING SETS ((day, outcome), (outcome))
    ORDER BY count(*) DESC, outcome
), specialties AS (
    SELECT specialty, count(*) AS attempts, count(*) FILTER (WHERE succeeded) AS successes,
           round(count(*) FILTER (WHERE succeeded)::numeric / count(*), 6) AS success_rate
    FROM attempt WHERE specialty <> ''
    GROUP BY specialty ORDER BY count(*) DESC, specialty LIMIT 100
)
SELECT (SELECT jsonb_agg(to_jsonb(f)) FROM figures f) AS figures,
       (SELECT coalesce(jsonb_agg(to_jsonb(f)), '[]') FROM failures f) AS failures,
       (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM specialties s) AS specialties
