-- How much of the next days is offered, booked and free, for each doctor. Slots are cut in Python by the one generator,
-- so the days are stored as it counts them, and the view sums them up; it is refreshed while it is being read.

CREATE TABLE availability_day (
    doctor_id uuid NOT NULL REFERENCES doctor ON DELETE CASCADE,
    -- Days after the doctor's today.
    ahead int NOT NULL,
    day date NOT NULL,
    offered_minutes int NOT NULL,
    booked_minutes int NOT NULL,
    free_slots int NOT NULL,
    first_free_time timestamptz,
    -- When the day was counted, by the service's clock.
    count_time timestamptz NOT NULL,
    PRIMARY KEY (doctor_id, ahead)
);

CREATE MATERIALIZED VIEW doctor_availability_summary AS
SELECT doctor_id,
       min(first_free_time) AS next_free_time,
       coalesce(sum(offered_minutes) FILTER (WHERE ahead < 7), 0)::int AS offered_minutes_7,
       coalesce(sum(booked_minutes) FILTER (WHERE ahead < 7), 0)::int AS booked_minutes_7,
       coalesce(sum(free_slots) FILTER (WHERE ahead < 7), 0)::int AS free_slots_7,
       sum(offered_minutes)::int AS offered_minutes_14,
       sum(booked_minutes)::int AS booked_minutes_14,
       sum(free_slots)::int AS free_slots_14
FROM availability_day
WHERE ahead < 14
GROUP BY doctor_id;

-- Without a unique index it could not be refreshed concurrently.
CREATE UNIQUE INDEX doctor_availability_summary_by_doctor ON doctor_availability_summary (doctor_id);
CREATE INDEX doctor_availability_summary_by_time ON doctor_availability_summary
    ((coalesce(next_free_time, 'infinity')), doctor_id);

-- One row: when the view was last refreshed, by the service's clock.
CREATE TABLE availability_refresh (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    refresh_time timestamptz
);

INSERT INTO availability_refresh DEFAULT VALUES;
