ALTER TABLE doctor_claim DROP CONSTRAINT doctor_claim_daily_limit;
SELECT pg_temp.edit('doctor_day_is_full', 'p_day_limit > 0', 'false');
SELECT pg_temp.edit('claim_doctor', 'IF p_day_limit > 0 THEN', 'IF false THEN');
SELECT pg_temp.edit('claim_doctor', 'CASE WHEN p_day_limit > 0 THEN p_day_limit END', 'NULL::int');
