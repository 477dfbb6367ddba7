-- What browsers measured of their connections, one row an interval.
CREATE TABLE quality_sample (
    session_id uuid NOT NULL REFERENCES session,
    participant_type text NOT NULL CHECK (participant_type IN ('PATIENT', 'DOCTOR')),
    attempt int NOT NULL CHECK (attempt >= 1),
    number int NOT NULL CHECK (number >= 1),
    seconds real NOT NULL CHECK (seconds > 0),
    round_trip_ms real NOT NULL,
    jitter_ms real NOT NULL,
    loss_percent real NOT NULL CHECK (loss_percent BETWEEN 0 AND 100),
    bitrate_kbps real NOT NULL,
    is_muted boolean NOT NULL,
    PRIMARY KEY (session_id, participant_type, attempt, number)
);

ALTER TABLE session
    ADD COLUMN connection_issues text[] NOT NULL DEFAULT '{}',
    -- Whether a session that is over was rated, if only to find that there is nothing to rate.
    ADD COLUMN is_rated boolean NOT NULL DEFAULT false;
CREATE INDEX session_to_rate ON session (state_time) WHERE NOT is_rated AND state = 'ENDED';

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
    ) AS tracks,
    s.connection_issues
FROM session AS s
LEFT JOIN participant AS p USING (session_id);
