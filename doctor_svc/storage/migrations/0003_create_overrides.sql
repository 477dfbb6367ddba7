-- Rules that can be changed and that may be stricter than the clinic, and the exceptions to them.

ALTER TABLE availability_rule
    -- Null: as the clinic has it.
    ADD COLUMN notice_minutes int,
    ADD COLUMN horizon_days int,
    ADD COLUMN version int NOT NULL DEFAULT 1;

CREATE TABLE availability_override (
    override_id uuid PRIMARY KEY,
    doctor_id uuid NOT NULL REFERENCES doctor ON DELETE CASCADE,
    kind text NOT NULL,
    -- Days of the doctor's calendar, both included.
    first_day date NOT NULL,
    last_day date NOT NULL,
    -- The part of each day, in wall time of the doctor's zone; an end may be 24:00. Both null: the whole day.
    window_start time,
    window_end time,
    -- Of extra hours alone.
    extra_kind text,
    duration_minutes int,
    buffer_minutes int,
    capacity int,
    overrides_blocks boolean,
    note text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL,
    CONSTRAINT override_has_days CHECK (first_day <= last_day),
    CONSTRAINT override_has_a_whole_window CHECK (num_nonnulls(window_start, window_end) <> 1),
    CONSTRAINT override_is_extra_or_not CHECK (
        num_nonnulls(extra_kind, duration_minutes, buffer_minutes, capacity, overrides_blocks)
            = CASE kind WHEN 'ExtraHours' THEN 5 ELSE 0 END
    )
);

CREATE INDEX availability_override_by_doctor ON availability_override (doctor_id, last_day);
