-- The bare serial of the event, which a later commit may undercut, and the horizon of whoever numbered last.
SELECT pg_temp.edit('sequence_events', 'head.revision + row_number() OVER (ORDER BY event_id)', 'event_id');
