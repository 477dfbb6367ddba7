SELECT pg_temp.edit('sequence_events', 'OVER (ORDER BY event_id)', 'OVER (ORDER BY event_id DESC)');
