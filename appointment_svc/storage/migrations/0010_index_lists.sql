-- Lists by state or by kind are read the latest start first, as all lists are: each page by key, the last like the first.
CREATE INDEX appointment_by_status ON appointment (status, start_time DESC, appointment_id DESC);
CREATE INDEX appointment_by_kind ON appointment (kind, start_time DESC, appointment_id DESC);

-- Who had completed a visit with whom before, for the rate of continuity.
CREATE INDEX appointment_completed ON appointment (patient_id, doctor_id, start_time) WHERE status = 'COMPLETED';
