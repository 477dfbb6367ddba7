-- When the history was verified, and how many faults there were: what dashboards and alerts show. It is no evidence,
-- since whoever can change the history can change this too; the verifier's own answer is.
CREATE TABLE audit_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_time timestamptz NOT NULL DEFAULT now(),
    checked bigint NOT NULL,
    faults bigint NOT NULL,
    head text NOT NULL
);
