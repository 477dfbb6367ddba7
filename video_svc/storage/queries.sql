-- The copy of the appointments, and how far it reaches.

-- name: get_cursor
SELECT revision FROM feed_cursor WHERE feed = %(feed)s;

-- name: advance_cursor
INSERT INTO feed_cursor AS kept (feed, revision)
VALUES (%(feed)s, %(revision)s::bigint)
ON CONFLICT (feed) DO UPDATE SET revision = greatest(kept.revision, excluded.revision);

-- name: keep_visits
-- Wakes the watchers of sessions to which somebody has come.
WITH kept AS (
    INSERT INTO session AS kept (appointment_id, patient_id, doctor_id, appointment_status, appointment_version,
        start_time, end_time)
    SELECT heard.appointment_id, heard.patient_id, heard.doctor_id, heard.status, heard.version, heard.start_time,
        heard.end_time
    FROM unnest(%(appointment_ids)s::uuid[], %(patient_ids)s::uuid[], %(doctor_ids)s::uuid[], %(statuses)s::text[],
        %(versions)s::int[], %(start_times)s::timestamptz[], %(end_times)s::timestamptz[])
        AS heard (appointment_id, patient_id, doctor_id, status, version, start_time, end_time)
    ON CONFLICT (appointment_id) DO UPDATE SET
        patient_id = excluded.patient_id,
        doctor_id = excluded.doctor_id,
        appointment_status = excluded.appointment_status,
        appointment_version = excluded.appointment_version,
        start_time = excluded.start_time,
        end_time = excluded.end_time,
        seq = kept.seq + 1,
        changed_seq = kept.seq + 1
    WHERE kept.appointment_version < excluded.appointment_version
    RETURNING session_id
)
SELECT pg_notify('video_session', session_id::text)
FROM kept
WHERE EXISTS (SELECT 1 FROM participant AS p WHERE p.session_id = kept.session_id);
