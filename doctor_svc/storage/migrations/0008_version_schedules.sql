-- What may be kept of a doctor outside of the database, and the visits of a doctor by time.

-- Another version after each change of the profile, the rules or the overrides, whoever makes it. Whoever has kept a
-- doctor under a version can therefore be told by one comparison whether that still holds. No counter: one that went
-- back with a restored backup would come to name two different states. A table of its own, because a change of hours
-- should rewrite neither the profile nor all that it is found by.
CREATE TABLE schedule_version (
    doctor_id uuid PRIMARY KEY REFERENCES doctor ON DELETE CASCADE,
    version uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO schedule_version (doctor_id) SELECT doctor_id FROM doctor;

CREATE FUNCTION add_schedule_versions() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO schedule_version (doctor_id) SELECT doctor_id FROM changed;
    RETURN NULL;
END
$$;

CREATE FUNCTION renew_schedule_versions() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE schedule_version SET version = gen_random_uuid() WHERE doctor_id IN (SELECT doctor_id FROM changed);
    RETURN NULL;
END
$$;

CREATE TRIGGER doctors_added AFTER INSERT ON doctor REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION add_schedule_versions();
CREATE TRIGGER doctors_changed AFTER UPDATE ON doctor REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER rules_added AFTER INSERT ON availability_rule REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER rules_changed AFTER UPDATE ON availability_rule REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER rules_deleted AFTER DELETE ON availability_rule REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER overrides_added AFTER INSERT ON availability_override REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER overrides_changed AFTER UPDATE ON availability_override REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();
CREATE TRIGGER overrides_deleted AFTER DELETE ON availability_override REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION renew_schedule_versions();

-- A tree over the start instead of a GiST over the range: a third of the time to read, and less to write. It holds all
-- that a slot is made of, so that the table is not read at all. No visit occupies more than a day (240 minutes and a
-- buffer of 120 at most), so whoever looks for what overlaps a stretch looks for starts from a day before it.
DROP INDEX visit_occupying;
CREATE INDEX visit_occupying ON visit (doctor_id, start_time) INCLUDE (occupied, kind, seat, hold_expire_time)
    WHERE status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS');
