-- The visits of a doctor by time, whatever became of them: what a doctor's numbers are counted from.

CREATE INDEX visit_by_doctor ON visit (doctor_id, start_time);
