-- The pause makes no deadlock; it gives one that can be the time to be.
SELECT pg_temp.edit('move_claims', 'PERFORM pg_advisory_xact_lock(lock_key);', 'NULL;');
SELECT pg_temp.edit('move_claims', 'new_seat := claim_doctor(', 'PERFORM pg_sleep(0.1); new_seat := claim_doctor(');
