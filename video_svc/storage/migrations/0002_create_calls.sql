-- What happens in a session: its own life beside that of the appointment, the participants, and their signals.
ALTER TABLE session
    ADD COLUMN state text NOT NULL DEFAULT 'SCHEDULED' CHECK (state IN (
        'SCHEDULED', 'OPEN', 'LIVE', 'INTERRUPTED', 'ENDED', 'CANCELLED', 'NO_SHOW', 'EXPIRED'
    )),
    ADD COLUMN state_time timestamptz,
    -- When patient and doctor were first connected.
    ADD COLUMN begin_time timestamptz,
    ADD COLUMN end_reason text CHECK (end_reason IN ('ENDED_BY_DOCTOR', 'CONNECTION_LOST', 'MAX_DURATION')),
    ADD COLUMN quality_rating int CHECK (quality_rating BETWEEN 1 AND 5),
    -- The number of the newest event, and that of the newest one that changed the session itself.
    ADD COLUMN seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN changed_seq bigint NOT NULL DEFAULT 0;

ALTER TABLE participant
    ADD COLUMN participant_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN state text NOT NULL DEFAULT 'LEFT' CHECK (state IN (
        'INVITED', 'WAITING', 'ADMITTED', 'CONNECTING', 'CONNECTED', 'RECONNECTING', 'LEFT', 'REJECTED', 'REMOVED'
    )),
    ADD COLUMN state_time timestamptz,
    ADD COLUMN seen_time timestamptz,
    ADD COLUMN attempt int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    ADD COLUMN report int NOT NULL DEFAULT 0 CHECK (report >= 0),
    ADD COLUMN request_id text NOT NULL DEFAULT '',
    ADD COLUMN camera boolean,
    ADD COLUMN microphone boolean,
    ADD COLUMN network boolean,
    -- The number of the next signal of the current attempt that can be passed on.
    ADD COLUMN next_signal int NOT NULL DEFAULT 1 CHECK (next_signal >= 1);
UPDATE participant SET state_time = join_time, seen_time = join_time;
ALTER TABLE participant
    ALTER COLUMN state DROP DEFAULT,
    ALTER COLUMN state_time SET NOT NULL,
    ALTER COLUMN seen_time SET NOT NULL;
CREATE UNIQUE INDEX participant_by_id ON participant (participant_id);
-- For whoever looks for silence: few rows at any time.
CREATE INDEX participant_in_call ON participant (seen_time) WHERE state IN ('CONNECTING', 'CONNECTED', 'RECONNECTING');
CREATE INDEX session_under_way ON session (state) WHERE state IN ('OPEN', 'LIVE', 'INTERRUPTED');
CREATE INDEX session_of_patient ON session (patient_id, start_time, session_id);
CREATE INDEX session_of_doctor ON session (doctor_id, start_time, session_id);

-- A session as its readers want it: one row a participant, or one row with none.
CREATE VIEW session_and_participant AS
SELECT s.session_id, s.appointment_id, s.patient_id, s.doctor_id, s.appointment_status, s.appointment_version,
    s.start_time, s.end_time, s.state AS session_state, s.state_time AS session_state_time, s.begin_time, s.end_reason,
    s.quality_rating, p.participant_type, p.participant_id, p.state AS participant_state, p.join_time, p.state_time,
    p.seen_time, p.attempt, p.report, p.request_id, p.camera, p.microphone, p.network
FROM session AS s
LEFT JOIN participant AS p USING (session_id);

-- A message from one browser to the other. It holds addresses of people's machines, so it lives for minutes at most.
CREATE TABLE signal (
    session_id uuid NOT NULL REFERENCES session,
    sender text NOT NULL CHECK (sender IN ('PATIENT', 'DOCTOR')),
    attempt int NOT NULL CHECK (attempt >= 1),
    number int NOT NULL CHECK (number >= 1),
    receiver text NOT NULL CHECK (receiver IN ('PATIENT', 'DOCTOR')),
    receiver_attempt int NOT NULL CHECK (receiver_attempt >= 1),
    body bytea NOT NULL,
    -- Its place among the events of the session; NULL while an earlier signal of the sender is still missing.
    seq bigint,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (session_id, sender, attempt, number)
);
CREATE INDEX signal_to_pass_on ON signal (session_id, receiver, seq) WHERE seq IS NOT NULL;
CREATE INDEX signal_by_age ON signal (create_time);

-- Lets a browser open one event stream without a token in its address. Only the hash of a ticket is kept.
CREATE TABLE stream_ticket (
    ticket_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session,
    subject text NOT NULL,
    role text NOT NULL,
    expire_time timestamptz NOT NULL
);
CREATE INDEX stream_ticket_by_age ON stream_ticket (expire_time);
