-- What the doctor service knows about doctors beyond their free times. Parameters are cast, as in queries.sql.

-- name: find_recommendable
WITH history AS (
    SELECT v.doctor_id, count(*) AS visits
    FROM visit AS v
    WHERE v.patient_id = %(patient_id)s::uuid AND v.status = 'COMPLETED'
    GROUP BY v.doctor_id
)
SELECT d.doctor_id::text, d.first_name, d.last_name, d.specialty, d.sub_specialties, d.timezone, d.rating,
       d.rating_count, d.years_experience, d.languages, d.license_jurisdictions, d.max_daily_appointments, d.requires_approval,
       coalesce(h.visits, 0) AS previous_visits
FROM doctor AS d
LEFT JOIN history AS h USING (doctor_id)
WHERE d.is_verified AND d.is_active
ORDER BY d.specialty_keys @> %(specialty_keys)s::text[] DESC,
         h.visits DESC NULLS LAST,
         (d.rating * d.rating_count + %(prior_rating)s::float8 * %(prior_count)s::int)
             / (d.rating_count + %(prior_count)s::int) DESC,
         d.doctor_id
LIMIT %(most)s::int

-- name: tally_visits
SELECT v.status,
       count(*) AS visits,
       sum(upper(v.occupied) - lower(v.occupied)) AS occupied,
       count(*) FILTER (WHERE earlier.together IS NOT NULL) AS returning_visits,
       count(*) FILTER (WHERE earlier.together) AS continued_visits
FROM visit AS v
-- Whether the patient had completed a visit before, and if so, whether one with this doctor; no row is null.
LEFT JOIN LATERAL (
    SELECT bool_or(e.doctor_id = v.doctor_id) AS together
    FROM visit AS e
    WHERE e.patient_id = v.patient_id AND e.status = 'COMPLETED' AND e.start_time < v.start_time
) AS earlier ON v.status = 'COMPLETED'
WHERE v.doctor_id = %(doctor_id)s::uuid
  AND v.start_time >= %(start)s::timestamptz AND v.start_time < %(end)s::timestamptz
GROUP BY v.status
