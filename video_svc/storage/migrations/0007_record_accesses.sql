-- Who touched whose data (docs/decisions/0016-access-records.md): each row with its place in a chain of hashes.

-- As in the appointment service, byte by byte (docs/decisions/0009-hash-chain.md). The digest of a flat record: its
-- fields by name, in byte order of the names, each name and each value (as the text of JSON) behind its length in four
-- bytes. Fields without a value are left out, so that a later column changes nothing.
CREATE FUNCTION record_digest(record jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sha256(string_agg(
        int4send(octet_length(name)) || name || int4send(octet_length(value)) || value, NULL ORDER BY name
    ))
    FROM (
        SELECT convert_to(key, 'UTF8') AS name, convert_to(v::text, 'UTF8') AS value
        FROM jsonb_each(record) AS fields (key, v) WHERE jsonb_typeof(v) <> 'null'
    ) AS present
$$;

CREATE FUNCTION next_link(previous bytea, number bigint, content bytea, anchor bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(coalesce(previous, anchor) || int8send(number) || content)
$$;
-- A window over it links row after row, from the hash `anchor` on.
CREATE AGGREGATE chain_hash(number bigint, content bytea, anchor bytea) (SFUNC = next_link, STYPE = bytea);

CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TABLE access (
    number bigint PRIMARY KEY,
    access_time timestamptz NOT NULL,
    -- The RPC, package.Service/Method, and what it does (FHIR audit-event-action).
    method text NOT NULL,
    action text NOT NULL CHECK (action IN ('C', 'R', 'U', 'D', 'E')),
    actor_subject text NOT NULL,
    actor_role text NOT NULL,
    -- Who acted for the subject; null when they acted for themselves.
    acted_by text,
    -- HL7 v3 PurposeOfUse.
    purpose text NOT NULL,
    -- Why the glass was broken, in words that can be forgotten: the chain holds the salted digest alone.
    reason text NOT NULL,
    reason_salt bytea,
    reason_digest text,
    -- What was touched, and whose it was, place by place; null where one of the two was not known.
    entity text NOT NULL,
    entity_ids uuid[] NOT NULL,
    patient_ids uuid[] NOT NULL,
    query text,
    -- The name of a gRPC code; with anything but OK, the reason of the refusal.
    outcome text NOT NULL,
    outcome_reason text,
    traceparent text NOT NULL,
    hash bytea NOT NULL,
    CHECK (cardinality(entity_ids) = cardinality(patient_ids))
);
-- A short pending list: looking somebody up reads it whole.
CREATE INDEX access_by_patient ON access USING gin (patient_ids) WITH (gin_pending_list_limit = 256);
CREATE INDEX access_behind_glass ON access (number) WHERE purpose = 'BTG';

CREATE TABLE access_head (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO access_head (number, hash) VALUES (0, sha256('telemed.video.access'));

-- Lets nothing be changed but that the words of a row are forgotten.
CREATE FUNCTION refuse_all_but_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(new) = to_jsonb(old) || '{"reason": "", "reason_salt": null}' THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER access_is_append_only BEFORE UPDATE OR DELETE ON access
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_forgetting();
CREATE TRIGGER access_is_never_emptied BEFORE TRUNCATE ON access
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();

-- Appends rows, given as JSON objects with the names of the columns, and tells the last number. The lock on access_head
-- makes batches of several replicas follow each other: one waits for the commit of another, and no row for anything else.
CREATE FUNCTION record_accesses(p_rows jsonb) RETURNS bigint LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    head access_head;
    last access_head;
BEGIN
    SELECT * INTO STRICT head FROM access_head FOR UPDATE;
    WITH given AS MATERIALIZED (
        SELECT head.number + place AS number, access_time, method, action, actor_subject, actor_role, acted_by, purpose,
               reason, CASE WHEN reason <> '' THEN uuid_send(gen_random_uuid()) END AS reason_salt, entity, entity_ids,
               patient_ids, query, outcome, outcome_reason, traceparent
        FROM ROWS FROM (jsonb_to_recordset(p_rows) AS (
            access_time timestamptz, method text, action text, actor_subject text, actor_role text, acted_by text,
            purpose text, reason text, entity text, entity_ids uuid[], patient_ids uuid[], query text, outcome text,
            outcome_reason text, traceparent text
        )) WITH ORDINALITY AS r (
            access_time, method, action, actor_subject, actor_role, acted_by, purpose, reason, entity, entity_ids,
            patient_ids, query, outcome, outcome_reason, traceparent, place
        )
    ), committed AS (
        SELECT g.*, encode(sha256(g.reason_salt || convert_to(g.reason, 'UTF8')), 'hex') AS reason_digest FROM given g
    ), written AS (
        INSERT INTO access (
            number, access_time, method, action, actor_subject, actor_role, acted_by, purpose, reason, reason_salt,
            reason_digest, entity, entity_ids, patient_ids, query, outcome, outcome_reason, traceparent, hash
        )
        SELECT number, access_time, method, action, actor_subject, actor_role, acted_by, purpose, reason, reason_salt,
               reason_digest, entity, entity_ids, patient_ids, query, outcome, outcome_reason, traceparent,
               chain_hash(
                   number, record_digest(to_jsonb(c) - '{number, reason, reason_salt}'::text[]), head.hash
               ) OVER (ORDER BY number)
        FROM committed c
        RETURNING number, hash
    )
    SELECT true, number, hash INTO last FROM written ORDER BY number DESC LIMIT 1;
    IF FOUND THEN
        UPDATE access_head SET number = last.number, hash = last.hash;
    END IF;
    RETURN coalesce(last.number, head.number);
END $$;
