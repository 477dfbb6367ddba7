-- What the appointment service has still to be told. A row is written with what it tells of, and goes when it was heard.
CREATE TABLE outbox (
    -- Also the request_id of the call, so that telling twice is telling once.
    notice_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- The order of what happened in one session.
    number bigint GENERATED ALWAYS AS IDENTITY,
    session_id uuid NOT NULL REFERENCES session,
    appointment_id uuid NOT NULL,
    notice text NOT NULL CHECK (notice IN ('PATIENT_CAME', 'DOCTOR_CAME', 'BEGAN', 'ENDED')),
    traceparent text NOT NULL,
    create_time timestamptz NOT NULL,
    tries int NOT NULL DEFAULT 0,
    -- When to tell it (again).
    next_time timestamptz NOT NULL
);
CREATE INDEX outbox_in_order ON outbox (session_id, number);
