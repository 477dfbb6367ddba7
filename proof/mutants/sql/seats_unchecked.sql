ALTER TABLE doctor_claim DROP CONSTRAINT doctor_claim_check;
SELECT pg_temp.edit('claim_doctor', '0 .. p_capacity - 1', '0 .. p_capacity');
