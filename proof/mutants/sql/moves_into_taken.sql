SELECT pg_temp.edit('move_claims', 'IF new_seat IS NULL THEN', 'IF new_seat IS NULL THEN RETURN 0;');
