"""A large clinic, made by SQL in a minute: ten thousand doctors and a million booked visits."""

from datetime import date

import psycopg
from psycopg import sql

from bench import doctors

DOCTORS = 10_000
SPECIALTIES = 20  # so many doctors of each: 500
VISITS = 1_000_000
# The n-th doctor is the n-th of bench.doctors as well. Of each doctor's hundred visits there is one a day and a second
# on some days.
_DOCTORS = """
INSERT INTO doctor (doctor_id, first_name, last_name, specialty, specialty_keys, bio, years_experience, languages,
                    timezone, is_verified, rating, rating_count, rating_total, create_time, update_time)
SELECT {doctor_id}, 'Ada', 'Number ' || n, 'Specialty ' || n % {specialties}, ARRAY['specialty ' || n % {specialties}],
       'Treats adults and children.', n % 40, '{{en}}', 'UTC', true, 3 + n % 9 * 0.25, 20, (3 + n % 9 * 0.25) * 20,
       now(), now()
FROM generate_series(0, {count} - 1) AS n
"""
_RULES = """
INSERT INTO availability_rule (rule_id, doctor_id, day_of_week, kind, duration_minutes, buffer_minutes, capacity,
                               morning_start, morning_end, afternoon_start, afternoon_end, create_time)
SELECT gen_random_uuid(), {doctor_id}, weekday, 'GeneralConsultation', {visit}, {buffer}, 1, '09:00', '12:20',
       '14:00', '17:20', now()
FROM generate_series(0, {count} - 1) AS n, generate_series(0, 6) AS weekday
"""
_VISITS = """
INSERT INTO visit (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied, seat, version)
SELECT gen_random_uuid(), {doctor_id}, gen_random_uuid(), 'GeneralConsultation', 'CONFIRMED', start_time,
       start_time + make_interval(mins => {visit}),
       tstzrange(start_time, start_time + make_interval(mins => {visit} + {buffer})), 0, 1
FROM generate_series(0, {visits} - 1) AS number,
     LATERAL (SELECT number % {doctors} AS n, number / {doctors} AS nth) AS of_doctor,
     -- The row of slots that `start` counts: day by day, the second round on other cells of the day.
     LATERAL (SELECT nth % {days} * {cells} + nth / {days} * 10 + nth % {days} % 10 AS row) AS slot,
     LATERAL (SELECT {start} AS start_time) AS time
"""


async def add_doctors(url: str, count: int) -> None:
    """Puts doctors and their hours into a doctor database."""
    values = {"count": count, "specialties": SPECIALTIES, "visit": doctors.VISIT_MINUTES}
    values["buffer"] = doctors.BUFFER_MINUTES
    await _run(url, *(text.format(doctor_id=doctors.doctor_id_sql("n"), **values) for text in (_DOCTORS, _RULES)))


async def add_visits(url: str, first: date) -> None:
    """Books VISITS in the copy of a doctor database with DOCTORS, from a day on, evenly over all."""
    statement = _VISITS.format(
        doctor_id=doctors.doctor_id_sql("n"),
        doctors=DOCTORS,
        visits=VISITS,
        days=doctors.DAYS,
        cells=doctors.SLOTS_A_DAY,
        visit=doctors.VISIT_MINUTES,
        buffer=doctors.BUFFER_MINUTES,
        start=doctors.start_sql("row", first),
    )
    await _run(url, statement)


async def _run(url: str, *statements: str) -> None:
    """Runs statements, and leaves the tables as a clinic that has run for a while has them."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in (*statements, "VACUUM ANALYZE"):
            await connection.execute(sql.SQL(statement))
