-- Attempts at a forwarding provider; peer to peer there are none.
CREATE TABLE attempt (
    session_id uuid NOT NULL REFERENCES session,
    participant_type text NOT NULL CHECK (participant_type IN ('PATIENT', 'DOCTOR')),
    attempt int NOT NULL CHECK (attempt >= 1),
    -- Empty until the session at the provider was opened.
    provider_session_id text NOT NULL DEFAULT '',
    -- Whose turn it is to change that session, so that no two changes overlap.
    turn_purpose text CHECK (turn_purpose IN ('CALL', 'ANSWER')),
    turn_owner text,
    turn_until timestamptz,
    is_lost boolean NOT NULL DEFAULT false,
    -- Whether nothing of it is left at the provider; until then, when to try (again) to close it.
    is_clean boolean NOT NULL DEFAULT false,
    clean_time timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (session_id, participant_type, attempt),
    CHECK ((turn_purpose IS NULL) = (turn_until IS NULL))
);
CREATE INDEX attempt_to_clean ON attempt (clean_time) WHERE NOT is_clean AND provider_session_id <> '';

-- The tracks that a participant sends in an attempt.
CREATE TABLE track (
    session_id uuid NOT NULL,
    participant_type text NOT NULL,
    attempt int NOT NULL,
    name text NOT NULL,
    mid text NOT NULL,
    PRIMARY KEY (session_id, participant_type, attempt, name),
    FOREIGN KEY (session_id, participant_type, attempt) REFERENCES attempt
);

-- What came of a request that had a name, so that a repeat gets the same answer. It may hold a description.
CREATE TABLE media_answer (
    session_id uuid NOT NULL,
    participant_type text NOT NULL,
    attempt int NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (session_id, participant_type, attempt, request_id),
    FOREIGN KEY (session_id, participant_type, attempt) REFERENCES attempt
);
CREATE INDEX media_answer_by_age ON media_answer (create_time);

CREATE OR REPLACE VIEW session_and_participant AS
SELECT s.session_id, s.appointment_id, s.patient_id, s.doctor_id, s.appointment_status, s.appointment_version,
    s.start_time, s.end_time, s.state AS session_state, s.state_time AS session_state_time, s.begin_time, s.end_reason,
    s.quality_rating, p.participant_type, p.participant_id, p.state AS participant_state, p.join_time, p.state_time,
    p.seen_time, p.attempt, p.report, p.request_id, p.camera, p.microphone, p.network,
    ARRAY(
        SELECT t.name
        FROM track AS t
        WHERE t.session_id = p.session_id AND t.participant_type = p.participant_type AND t.attempt = p.attempt
        ORDER BY t.name
    ) AS tracks
FROM session AS s
LEFT JOIN participant AS p USING (session_id);
