-- Keeps a signal and passes on whatever follows without a gap, in one round trip: the browsers wait for each of them.
-- Answers what became of it (SENT, GAP, or CHANGED when the attempts are no longer those that the caller saw) and the
-- lowest number that has not come.
CREATE FUNCTION pass_on(
    the_session uuid, the_sender text, the_attempt int, the_number int, the_receiver text, the_receiver_attempt int,
    the_body bytea, now_is timestamptz, most_waiting int, longest_gap interval,
    OUT outcome text, OUT next_number int
) LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
    first_number int;
    waiting int;
    oldest timestamptz;
BEGIN
    -- The session's row is the lock: events are numbered, and seen, in the order of their commits.
    SELECT seq INTO newest
    FROM session
    WHERE session_id = the_session AND state NOT IN ('ENDED', 'CANCELLED', 'NO_SHOW', 'EXPIRED')
    FOR NO KEY UPDATE;
    SELECT next_signal INTO next_number
    FROM participant
    WHERE session_id = the_session AND participant_type = the_sender AND attempt = the_attempt
        AND state IN ('CONNECTING', 'CONNECTED', 'RECONNECTING');
    IF newest IS NULL OR next_number IS NULL OR NOT EXISTS (
        SELECT 1
        FROM participant
        WHERE session_id = the_session AND participant_type = the_receiver AND attempt = the_receiver_attempt
    ) THEN
        outcome := 'CHANGED';
        RETURN;
    END IF;
    outcome := 'SENT';
    IF the_number < next_number THEN
        RETURN;
    END IF;
    IF the_number > next_number THEN
        SELECT count(*), min(create_time) INTO waiting, oldest
        FROM signal
        WHERE session_id = the_session AND sender = the_sender AND attempt = the_attempt AND seq IS NULL;
        IF the_number >= next_number + most_waiting OR waiting >= most_waiting OR now_is >= oldest + longest_gap THEN
            outcome := 'GAP';
            RETURN;
        END IF;
    END IF;
    INSERT INTO signal (session_id, sender, attempt, number, receiver, receiver_attempt, body, create_time)
    VALUES (the_session, the_sender, the_attempt, the_number, the_receiver, the_receiver_attempt, the_body, now_is)
    ON CONFLICT DO NOTHING;
    first_number := next_number;
    LOOP
        UPDATE signal
        SET seq = newest + 1 + next_number - first_number
        WHERE session_id = the_session AND sender = the_sender AND attempt = the_attempt AND number = next_number;
        EXIT WHEN NOT FOUND;
        next_number := next_number + 1;
    END LOOP;
    IF next_number > first_number THEN
        UPDATE participant
        SET next_signal = next_number
        WHERE session_id = the_session AND participant_type = the_sender;
        UPDATE session SET seq = newest + next_number - first_number WHERE session_id = the_session;
        PERFORM pg_notify('video_session', the_session::text);
    END IF;
END $$;
