-- The ledger: who is busy when. Its exclusion constraints are the last word on every booking.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TYPE appointment_kind AS ENUM (
    'GeneralConsultation', 'InitialConsultation', 'FollowUp', 'SpecialtyConsultation', 'MentalHealth', 'WomensHealth',
    'PrescriptionRenewal', 'MedicalCertificate', 'TelehealthCheckIn', 'GroupSession', 'Emergency'
);

CREATE TYPE appointment_status AS ENUM (
    'HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'EXPIRED'
);

CREATE TABLE appointment (
    appointment_id uuid PRIMARY KEY,
    patient_id uuid NOT NULL,
    doctor_id uuid NOT NULL,
    status appointment_status NOT NULL,
    kind appointment_kind NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    buffer_minutes int NOT NULL CHECK (buffer_minutes >= 0),
    seat int NOT NULL,
    timezone text NOT NULL,
    specialty_required text NOT NULL,
    patient_notes text NOT NULL,
    match_score double precision NOT NULL,
    is_preferred_doctor boolean NOT NULL,
    cancel_reason text NOT NULL DEFAULT '',
    version int NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    CHECK (start_time < end_time)
);
-- Lists are read the latest start first, of everybody, of one patient or of one doctor.
CREATE INDEX appointment_by_start ON appointment (start_time DESC, appointment_id DESC);
CREATE INDEX appointment_by_patient ON appointment (patient_id, start_time DESC, appointment_id DESC);
CREATE INDEX appointment_by_doctor ON appointment (doctor_id, start_time DESC, appointment_id DESC);

-- A doctor's time, buffer included. Visits of different kinds never overlap; visits of one kind overlap on
-- different seats, and there are as many seats as the kind has capacity. Keyed by the doctor alone, so that the
-- table can be sharded by doctor.
CREATE TABLE doctor_claim (
    doctor_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    kind appointment_kind NOT NULL,
    seat int NOT NULL,
    capacity int NOT NULL,
    occupied tstzrange NOT NULL,
    PRIMARY KEY (doctor_id, appointment_id),
    CHECK (seat >= 0 AND seat < capacity),
    CHECK (NOT isempty(occupied) AND NOT lower_inf(occupied) AND NOT upper_inf(occupied)),
    CONSTRAINT doctor_claim_one_kind_at_a_time
        EXCLUDE USING gist (doctor_id WITH =, kind WITH <>, occupied WITH &&),
    CONSTRAINT doctor_claim_one_visit_a_seat
        EXCLUDE USING gist (doctor_id WITH =, seat WITH =, occupied WITH &&)
);

-- A patient's time, without buffer, and the daily limit: the n-th visit of a day takes the ordinal n-1, there is
-- one row an ordinal, and no ordinal at or past the limit. Keyed by the patient alone.
CREATE TABLE patient_claim (
    patient_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    during tstzrange NOT NULL,
    day date NOT NULL,
    day_ordinal int NOT NULL,
    day_limit int NOT NULL,
    PRIMARY KEY (patient_id, appointment_id),
    CHECK (day_ordinal >= 0 AND day_ordinal < day_limit),
    CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
    CONSTRAINT patient_claim_one_visit_at_a_time EXCLUDE USING gist (patient_id WITH =, during WITH &&),
    CONSTRAINT patient_claim_daily_limit UNIQUE (patient_id, day, day_ordinal)
);

-- Every change, for ever: who, what, why, before, after. Notes and reasons stay out of before and after.
CREATE TABLE event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_id uuid NOT NULL,
    version int NOT NULL,
    kind text NOT NULL,
    event_time timestamptz NOT NULL,
    patient_id uuid NOT NULL,
    doctor_id uuid NOT NULL,
    actor_subject text NOT NULL,
    actor_role text NOT NULL,
    reason text NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    traceparent text NOT NULL,
    UNIQUE (appointment_id, version)
);

CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_history();
CREATE TRIGGER event_is_never_emptied BEFORE TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();

-- The answers given under a request_id, so that a repeat gets the same one.
CREATE TABLE idempotency (
    caller text NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX idempotency_by_age ON idempotency (create_time);

-- One row an attempt to book, whatever came of it.
CREATE TABLE booking_attempt (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt_time timestamptz NOT NULL,
    method text NOT NULL,
    outcome text NOT NULL,
    kind appointment_kind NOT NULL,
    specialty_required text NOT NULL,
    appointment_id uuid,
    match_score double precision,
    is_preferred_doctor boolean
);
CREATE INDEX booking_attempt_by_time ON booking_attempt (attempt_time);
