SELECT pg_temp.edit('sequence_events', 'head.revision + row_number()', 'head.revision + 2 * row_number()');
