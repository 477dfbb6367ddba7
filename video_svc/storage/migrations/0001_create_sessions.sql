-- A session for each appointment that was ever heard of. What comes from the feed is copied as it came; the state of
-- the session is worked out from it and from the arrivals, and stored nowhere.
CREATE TABLE session (
    -- Random (version 4), so that an address with it in tells nothing about the appointment.
    session_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    appointment_id uuid NOT NULL UNIQUE,
    patient_id uuid NOT NULL,
    doctor_id uuid NOT NULL,
    appointment_status text NOT NULL CHECK (appointment_status IN (
        'HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'EXPIRED'
    )),
    appointment_version int NOT NULL CHECK (appointment_version >= 1),
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL CHECK (end_time > start_time)
);

-- Who has come, once a side.
CREATE TABLE participant (
    session_id uuid NOT NULL REFERENCES session,
    participant_type text NOT NULL CHECK (participant_type IN ('PATIENT', 'DOCTOR')),
    join_time timestamptz NOT NULL,
    PRIMARY KEY (session_id, participant_type)
);

-- How far the copy of a feed has come; written in the transaction of the changes that it stands for.
CREATE TABLE feed_cursor (
    feed text PRIMARY KEY,
    revision bigint NOT NULL CHECK (revision >= 1)
);
