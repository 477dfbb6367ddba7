-- name: get_doctor
SELECT doctor_id::text, first_name, last_name, specialty, sub_specialties, bio, years_experience, languages, timezone,
       license_jurisdictions, max_daily_appointments, consultation_modes, requires_approval, is_verified, is_active,
       rating, rating_count, version, create_time, update_time
FROM doctor
WHERE doctor_id = %(doctor_id)s::uuid

-- name: take_doctor
-- The one read of the private details: for a change that follows in the same transaction.
SELECT doctor_id::text, first_name, last_name, specialty, sub_specialties, bio, years_experience, languages, timezone,
       license_jurisdictions, max_daily_appointments, consultation_modes, requires_approval, is_verified, is_active,
       rating, rating_count, version, create_time, update_time, email, license_number, date_of_birth
FROM doctor
WHERE doctor_id = %(doctor_id)s::uuid
FOR NO KEY UPDATE

-- name: insert_doctor
INSERT INTO doctor (doctor_id, first_name, last_name, specialty, sub_specialties, specialty_keys, bio,
                    years_experience, languages, timezone, license_jurisdictions, max_daily_appointments,
                    consultation_modes, requires_approval, is_verified, is_active, rating, rating_count,
                    rating_total, email, license_number, date_of_birth, version, create_time, update_time)
VALUES (%(doctor_id)s::uuid, %(first_name)s, %(last_name)s, %(specialty)s, %(sub_specialties)s::text[],
        %(specialty_keys)s::text[], %(bio)s, %(years_experience)s, %(languages)s::text[], %(timezone)s,
        %(license_jurisdictions)s::text[], %(max_daily_appointments)s, %(consultation_modes)s::text[],
        %(requires_approval)s, %(is_verified)s, %(is_active)s, %(rating)s, %(rating_count)s,
        %(rating)s::float8 * %(rating_count)s::int, %(email)s, %(license_number)s, %(date_of_birth)s, %(version)s, %(create_time)s, %(update_time)s)
ON CONFLICT ((lower(email))) DO NOTHING

-- name: put_doctor
-- What patients' visits make of a doctor (the rating) is not the profile's to write.
UPDATE doctor
SET first_name = %(first_name)s,
    last_name = %(last_name)s,
    specialty = %(specialty)s,
    sub_specialties = %(sub_specialties)s::text[],
    specialty_keys = %(specialty_keys)s::text[],
    bio = %(bio)s,
    years_experience = %(years_experience)s,
    languages = %(languages)s::text[],
    timezone = %(timezone)s,
    license_jurisdictions = %(license_jurisdictions)s::text[],
    max_daily_appointments = %(max_daily_appointments)s,
    consultation_modes = %(consultation_modes)s::text[],
    requires_approval = %(requires_approval)s,
    is_verified = %(is_verified)s,
    is_active = %(is_active)s,
    email = %(email)s,
    license_number = %(license_number)s,
    date_of_birth = %(date_of_birth)s,
    version = %(version)s,
    update_time = %(update_time)s
WHERE doctor_id = %(doctor_id)s::uuid

-- name: set_verified
UPDATE doctor
SET is_verified = %(is_verified)s,
    version = version + (is_verified <> %(is_verified)s)::int,
    update_time = CASE WHEN is_verified <> %(is_verified)s THEN %(now)s ELSE update_time END
WHERE doctor_id = %(doctor_id)s::uuid
RETURNING doctor_id::text, first_name, last_name, specialty, sub_specialties, bio, years_experience, languages,
          timezone, license_jurisdictions, max_daily_appointments, consultation_modes, requires_approval, is_verified,
          is_active, rating, rating_count, version, create_time, update_time
