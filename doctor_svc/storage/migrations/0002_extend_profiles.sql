-- Where a licence is valid, how much a doctor takes on in a day, how visits can be held, and whether the doctor
-- practises here at the moment.

ALTER TABLE doctor
    -- ISO 3166 codes in upper case: US-NY, GB.
    ADD COLUMN license_jurisdictions text[] NOT NULL DEFAULT '{}',
    -- 0: no limit.
    ADD COLUMN max_daily_appointments int NOT NULL DEFAULT 0,
    ADD COLUMN consultation_modes text[] NOT NULL DEFAULT '{VIDEO}',
    ADD COLUMN is_active boolean NOT NULL DEFAULT true;
