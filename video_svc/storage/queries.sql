-- Every statement of the video service. A session comes as one row an arrival, or one row with none.

-- name: ping
SELECT 1 AS one;

-- name: get_session
SELECT s.session_id::text, s.appointment_id::text, s.patient_id::text, s.doctor_id::text, s.appointment_status,
    s.appointment_version, s.start_time, s.end_time, p.participant_type, p.join_time
FROM session AS s
LEFT JOIN participant AS p USING (session_id)
WHERE s.session_id = %(session_id)s::uuid
ORDER BY p.join_time, p.participant_type;

-- name: get_session_of_appointment
SELECT s.session_id::text, s.appointment_id::text, s.patient_id::text, s.doctor_id::text, s.appointment_status,
    s.appointment_version, s.start_time, s.end_time, p.participant_type, p.join_time
FROM session AS s
LEFT JOIN participant AS p USING (session_id)
WHERE s.appointment_id = %(appointment_id)s::uuid
ORDER BY p.join_time, p.participant_type;

-- name: lock_session_of_appointment
SELECT s.session_id::text
FROM session AS s
WHERE s.appointment_id = %(appointment_id)s::uuid
FOR NO KEY UPDATE;

-- name: keep_arrival
INSERT INTO participant AS kept (session_id, participant_type, join_time)
VALUES (%(session_id)s::uuid, %(participant_type)s, %(join_time)s::timestamptz)
ON CONFLICT (session_id, participant_type) DO UPDATE SET join_time = excluded.join_time
WHERE kept.join_time < excluded.join_time;

-- name: get_cursor
SELECT revision FROM feed_cursor WHERE feed = %(feed)s;

-- name: advance_cursor
INSERT INTO feed_cursor AS kept (feed, revision)
VALUES (%(feed)s, %(revision)s::bigint)
ON CONFLICT (feed) DO UPDATE SET revision = greatest(kept.revision, excluded.revision);

-- name: keep_visits
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
    end_time = excluded.end_time
WHERE kept.appointment_version < excluded.appointment_version;
