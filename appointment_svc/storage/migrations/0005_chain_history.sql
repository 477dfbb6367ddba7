-- The history as a hash chain: each row of the feed carries the hash of the row before it and of its own event, so that
-- a change of any of them is found. What is hashed, and why the sequencer does it: docs/decisions/0009-hash-chain.md.
-- chassis/hash_chain.py computes the same without these functions; `telemed audit verify` uses that.

-- The digest of a flat record: its fields by name, in byte order of the names, each name and each value (as the text of
-- JSON) behind its length in four bytes. Fields without a value are left out, so that a later column changes nothing.
CREATE FUNCTION record_digest(record jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sha256(string_agg(
        int4send(octet_length(name)) || name || int4send(octet_length(value)) || value, NULL ORDER BY name
    ))
    FROM (
        SELECT convert_to(key, 'UTF8') AS name, convert_to(v::text, 'UTF8') AS value
        FROM jsonb_each(record) AS fields (key, v) WHERE jsonb_typeof(v) <> 'null'
    ) AS present
$$;

-- The digest of an event: its columns, where the snapshots stand as their own digests. The words of people stand as a
-- salted digest alone (reason_digest), so that they can be forgotten while the chain still holds.
CREATE FUNCTION event_digest(e event) RETURNS bytea LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT record_digest(
        to_jsonb(e) - '{reason, reason_salt}'::text[] || jsonb_build_object(
            'before', encode(record_digest(e.before), 'hex'), 'after', encode(record_digest(e.after), 'hex')
        )
    )
$$;

CREATE FUNCTION next_link(previous bytea, number bigint, content bytea, anchor bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(coalesce(previous, anchor) || int8send(number) || content)
$$;
-- A window over it links row after row, from the hash `anchor` on.
CREATE AGGREGATE chain_hash(number bigint, content bytea, anchor bytea) (SFUNC = next_link, STYPE = bytea);

ALTER TABLE event ADD COLUMN reason_salt bytea, ADD COLUMN reason_digest text;
CREATE FUNCTION commit_to_reason() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.reason_salt := uuid_send(gen_random_uuid());
    new.reason_digest := encode(sha256(new.reason_salt || convert_to(new.reason, 'UTF8')), 'hex');
    RETURN new;
END $$;
CREATE TRIGGER event_commits_to_its_reason BEFORE INSERT ON event
    FOR EACH ROW WHEN (new.reason <> '') EXECUTE FUNCTION commit_to_reason();

-- The feed tells whose change a row is, so that one person's changes are read by number and no others are looked at.
ALTER TABLE feed ADD COLUMN patient_id uuid, ADD COLUMN doctor_id uuid, ADD COLUMN hash bytea;
ALTER TABLE feed_head ADD COLUMN hash bytea NOT NULL DEFAULT sha256('telemed.appointment.feed');

-- What is there already is linked as it stands.
ALTER TABLE event DISABLE TRIGGER event_is_append_only;
UPDATE event SET reason_salt = uuid_send(gen_random_uuid()) WHERE reason <> '';
UPDATE event SET reason_digest = encode(sha256(reason_salt || convert_to(reason, 'UTF8')), 'hex')
WHERE reason <> '';
ALTER TABLE event ENABLE TRIGGER event_is_append_only;
UPDATE feed SET patient_id = linked.patient_id, doctor_id = linked.doctor_id, hash = linked.hash
FROM (
    SELECT f.revision, e.patient_id, e.doctor_id,
           chain_hash(f.revision, event_digest(e), h.hash) OVER (ORDER BY f.revision) AS hash
    FROM feed f JOIN event e USING (event_id) CROSS JOIN feed_head h
) AS linked
WHERE feed.revision = linked.revision;
UPDATE feed_head SET hash = feed.hash FROM feed WHERE feed.revision = feed_head.revision;
ALTER TABLE feed_head ALTER COLUMN hash DROP DEFAULT;
ALTER TABLE feed ALTER COLUMN patient_id SET NOT NULL, ALTER COLUMN doctor_id SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL;

CREATE INDEX feed_by_patient ON feed (patient_id, revision);
CREATE INDEX feed_by_doctor ON feed (doctor_id, revision);
DROP INDEX event_by_patient;
DROP INDEX event_by_doctor;

CREATE TRIGGER feed_is_append_only BEFORE UPDATE OR DELETE ON feed
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_history();
CREATE TRIGGER feed_is_never_emptied BEFORE TRUNCATE ON feed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();

-- As in 0002, and links what it numbers. Both happen behind the bookings, one batch at a time: no booking waits for the
-- hash of another.
CREATE OR REPLACE FUNCTION sequence_events(batch_size int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    head feed_head;
    last feed_head;
BEGIN
    IF NOT EXISTS (SELECT FROM event_pending) THEN
        RETURN 0;
    END IF;
    SELECT * INTO head FROM feed_head FOR UPDATE;
    WITH taken AS (
        DELETE FROM event_pending
        WHERE event_id IN (SELECT event_id FROM event_pending ORDER BY event_id LIMIT batch_size)
        RETURNING event_id
    ), numbered AS (
        SELECT head.revision + row_number() OVER (ORDER BY event_id) AS revision, e
        FROM taken JOIN event e USING (event_id)
    ), written AS (
        INSERT INTO feed (revision, event_id, patient_id, doctor_id, hash)
        SELECT revision, (e).event_id, (e).patient_id, (e).doctor_id,
               chain_hash(revision, event_digest(e), head.hash) OVER (ORDER BY revision)
        FROM numbered
        RETURNING revision, hash
    )
    SELECT true, revision, hash INTO last FROM written ORDER BY revision DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE feed_head SET revision = last.revision, hash = last.hash;
    -- Only the sequencer notifies: NOTIFY takes a lock of the whole cluster at commit, which no booking may wait for.
    PERFORM pg_notify('telemed_feed', '');
    RETURN last.revision - head.revision;
END $$;
