"""A million appointments for a benchmark, with their events or without, made by SQL."""

import hashlib
from uuid import UUID

import psycopg

# Appointment n belongs to patient n mod PATIENTS and doctor n mod DOCTORS; one starts every three minutes.
PATIENTS = 50_000
DOCTORS = 500
# Final states alone: the clocks would settle whatever else lies in the past, while something is measured.
_STATUSES = "COMPLETED,COMPLETED,COMPLETED,COMPLETED,COMPLETED,COMPLETED,COMPLETED,CANCELLED,CANCELLED,CANCELLED"
_APPOINTMENTS = f"""
    INSERT INTO appointment (
        appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
        specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time
    )
    SELECT md5('appointment ' || n)::uuid, md5('patient ' || n * 7919 %% {PATIENTS})::uuid,
           md5('doctor ' || n %% {DOCTORS})::uuid,
           CASE WHEN n %% 5000 = 0 THEN 'NO_SHOW' ELSE (string_to_array('{_STATUSES}', ','))[(1 + n %% 10)::int] END
               ::appointment_status,
           (enum_range(NULL::appointment_kind))[(1 + n %% 11)::int],
           '2026-01-01T00:00:00Z'::timestamptz - n * interval '3 minutes',
           '2026-01-01T00:30:00Z'::timestamptz - n * interval '3 minutes',
           10, 0, 'Europe/Dublin', '', '', n %% 1000 / 1000.0, n %% 3 = 0, 1,
           '2025-12-01T00:00:00Z'::timestamptz - n * interval '3 minutes',
           '2025-12-01T00:00:00Z'::timestamptz - n * interval '3 minutes'
    FROM generate_series(1, %(count)s::bigint) AS n
"""
_EVENTS = """
    INSERT INTO event (
        appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, after,
        traceparent
    )
    SELECT appointment_id, 1, 'BOOKED', create_time, patient_id, doctor_id, patient_id::text, 'patient', '',
           appointment_snapshot(appointment), ''
    FROM appointment ORDER BY create_time
"""


_ATTEMPTS = """
    INSERT INTO booking_attempt (
        attempt_time, method, outcome, kind, specialty_required, appointment_id, match_score, is_preferred_doctor
    )
    SELECT create_time, CASE WHEN is_preferred_doctor THEN 'SmartBook' ELSE 'Book' END,
           CASE WHEN place % 4 = 0 THEN 'SLOT_TAKEN' ELSE 'BOOKED' END, kind, 'cardiology', appointment_id,
           match_score, is_preferred_doctor
    FROM (SELECT *, row_number() OVER (ORDER BY create_time) AS place FROM appointment) a
"""


def seed(url: str, count: int) -> None:
    """Adds so many appointments, each with one event, numbered and linked."""
    seed_appointments(url, count)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EVENTS)
        connection.execute("INSERT INTO event_pending (event_id) SELECT event_id FROM event")
        while (connection.execute("SELECT sequence_events(10000)").fetchone() or (0,))[0]:
            continue
        connection.execute("VACUUM ANALYZE")


def seed_appointments(url: str, count: int) -> None:
    """Adds so many appointments and attempts to book them, without events, and tells the planner of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_APPOINTMENTS, {"count": count})
        connection.execute(_ATTEMPTS)
        connection.execute("VACUUM ANALYZE")


def some_patient(number: int) -> str:
    """The id of a seeded patient, 0 to PATIENTS - 1."""
    return str(UUID(hashlib.md5(f"patient {number}".encode(), usedforsecurity=False).hexdigest()))


def some_doctor(number: int) -> str:
    """The id of a seeded doctor, 0 to DOCTORS - 1."""
    return str(UUID(hashlib.md5(f"doctor {number}".encode(), usedforsecurity=False).hexdigest()))
