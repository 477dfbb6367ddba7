-- The change feed: committed events, numbered without a gap in commit order (docs/decisions/0003).
-- A booking only leaves a note in event_pending; the sequencer, one at a time, numbers what has been committed.
CREATE TABLE event_pending (event_id bigint PRIMARY KEY);

CREATE TABLE feed (
    revision bigint PRIMARY KEY,
    event_id bigint NOT NULL UNIQUE REFERENCES event
);

CREATE TABLE feed_head (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL
);
INSERT INTO feed_head (revision) VALUES (0);

-- Numbers up to batch_size pending events and tells how many there were.
-- The row lock on feed_head lets one sequencer work at a time; each statement below sees all that was committed
-- when it started, so an event that commits late gets a later number instead of hiding behind an earlier one.
CREATE FUNCTION sequence_events(batch_size int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    numbered int;
BEGIN
    IF NOT EXISTS (SELECT FROM event_pending) THEN
        RETURN 0;
    END IF;
    SELECT revision INTO head FROM feed_head FOR UPDATE;
    WITH taken AS (
        DELETE FROM event_pending
        WHERE event_id IN (SELECT event_id FROM event_pending ORDER BY event_id LIMIT batch_size)
        RETURNING event_id
    )
    INSERT INTO feed (revision, event_id)
    SELECT head + row_number() OVER (ORDER BY event_id), event_id FROM taken;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    IF numbered > 0 THEN
        UPDATE feed_head SET revision = head + numbered;
        -- Only the sequencer notifies: NOTIFY takes a lock of the whole cluster at commit, which no booking may wait for.
        PERFORM pg_notify('telemed_feed', '');
    END IF;
    RETURN numbered;
END $$;

-- The feed of one patient or one doctor.
CREATE INDEX event_by_patient ON event (patient_id, event_id);
CREATE INDEX event_by_doctor ON event (doctor_id, event_id);
