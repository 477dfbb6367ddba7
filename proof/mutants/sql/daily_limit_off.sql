ALTER TABLE patient_claim DROP CONSTRAINT patient_claim_daily_limit;
SELECT pg_temp.edit('claim_patient', 'c.day_ordinal = o', 'false');
