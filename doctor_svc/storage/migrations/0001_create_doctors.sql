-- Doctors, their hours, and the copy of the visits that the appointment service tells of.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE doctor (
    doctor_id uuid PRIMARY KEY,
    first_name text NOT NULL,
    last_name text NOT NULL,
    specialty text NOT NULL,
    sub_specialties text[] NOT NULL DEFAULT '{}',
    -- The specialty and the sub-specialties as they are compared: trimmed, without case (domain/specialties.py).
    specialty_keys text[] NOT NULL,
    bio text NOT NULL DEFAULT '',
    years_experience int NOT NULL DEFAULT 0,
    languages text[] NOT NULL DEFAULT '{}',
    timezone text NOT NULL,
    is_verified boolean NOT NULL DEFAULT false,
    rating double precision NOT NULL DEFAULT 0,
    rating_count int NOT NULL DEFAULT 0,
    -- Private: taken, never selected by a read that answers a caller.
    email text,
    license_number text,
    date_of_birth date,
    version int NOT NULL DEFAULT 1,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT doctor_rating_is_a_mean CHECK (
        (rating_count = 0 AND rating = 0) OR (rating_count > 0 AND rating BETWEEN 1 AND 5)
    )
);

CREATE UNIQUE INDEX doctor_email_is_unique ON doctor (lower(email));
CREATE INDEX doctor_by_specialty ON doctor USING gin (specialty_keys) WHERE is_verified;

CREATE TABLE availability_rule (
    rule_id uuid PRIMARY KEY,
    doctor_id uuid NOT NULL REFERENCES doctor ON DELETE CASCADE,
    -- 0 = Sunday … 6 = Saturday.
    day_of_week int,
    specific_date date,
    kind text NOT NULL,
    duration_minutes int NOT NULL,
    buffer_minutes int NOT NULL,
    capacity int NOT NULL,
    -- Wall times in the doctor's zone; an end may be 24:00.
    morning_start time,
    morning_end time,
    afternoon_start time,
    afternoon_end time,
    create_time timestamptz NOT NULL,
    CONSTRAINT rule_has_one_day CHECK (num_nonnulls(day_of_week, specific_date) = 1),
    CONSTRAINT rule_has_whole_blocks CHECK (
        num_nonnulls(morning_start, morning_end) <> 1 AND num_nonnulls(afternoon_start, afternoon_end) <> 1
        AND num_nonnulls(morning_start, afternoon_start) > 0
    )
);

CREATE INDEX availability_rule_by_doctor ON availability_rule (doctor_id, kind);

-- A copy: the ledger of the appointment service is the truth.
CREATE TABLE visit (
    appointment_id uuid PRIMARY KEY,
    doctor_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    -- From the start to the end of the buffer.
    occupied tstzrange NOT NULL,
    seat int NOT NULL,
    version int NOT NULL
);

CREATE INDEX visit_occupying ON visit USING gist (doctor_id, occupied)
    WHERE status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS');
CREATE INDEX visit_completed ON visit (patient_id, doctor_id) WHERE status = 'COMPLETED';

-- One row: the number of the last change that the copy holds.
CREATE TABLE feed_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number bigint NOT NULL
);

INSERT INTO feed_cursor (number) VALUES (0);

CREATE TABLE idempotency (
    caller text NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    -- The serialized reply; null only inside the transaction that makes it.
    answer bytea,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (caller, method, request_id)
);
