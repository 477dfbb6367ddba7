-- name: visits_of_patient
SELECT appointment_id::text, doctor_id::text, kind, status, start_time, end_time, rating
FROM visit
WHERE patient_id = %(patient_id)s::uuid AND appointment_id > %(after)s::uuid
ORDER BY appointment_id
LIMIT %(limit)s::int
