"""The statements that one Book runs in PostgreSQL, as scripts of pgbench that book the same slots."""

from datetime import date

from appointment_svc.storage.rows import QUERIES as APPOINTMENT
from bench import doctors
from bench.pgbench import with_values
from doctor_svc.storage.schedules import GET_SCHEDULE

# Slot `n` of the round, counted by each client for itself; `first`, `each` and `i` come with the run.
_NEXT_SLOT = f"""\
\\set n :first + :client_id * :each + :i
\\set i :i + 1
\\set doctor :n % {doctors.DOCTORS}
\\set row :n / {doctors.DOCTORS}
"""
_REQUEST = "'request-' || (:n)::int"
_CALLER = "'5e7f0000-0000-4000-8000-000000000001'"
_FINGERPRINT = "decode(repeat('5a', 32), 'hex')"
_ANSWER = "decode(repeat('5a', 420), 'hex')"  # as long as the answer of Book
_TRACEPARENT = "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"


def book_script(first: date) -> str:
    """One booking: the ledger's statement alone."""
    return f"{_NEXT_SLOT}{_book(first)}\n"


def statements_script(first: date) -> str:
    """One booking: the statements of both services, in the order of the call, each a round trip of its own."""
    return f"{_NEXT_SLOT}{_schedule(first)}\n{_book(first)}\n"


def _schedule(first: date) -> str:
    start, doctor_id = doctors.start_sql(":row", first), doctors.doctor_id_sql(":doctor")
    return with_values(
        GET_SCHEDULE,
        {
            "doctor_id": doctor_id,
            "patient_id": doctors.patient_id_sql(":n"),
            # The service holds the rest of the doctor by this version; here it must be looked up.
            "known": f"(SELECT k.version FROM schedule_version AS k WHERE k.doctor_id = {doctor_id})",
            # proposals.Aim.stretch: a day around the start.
            "earliest": f"({start} - interval '25 hours')",
            "latest": f"({start} + interval '25 hours')",
            "now": "now()",
        },
    )


def _book(first: date) -> str:
    start = doctors.start_sql(":row", first)
    return with_values(
        APPOINTMENT["book"],
        {
            "caller": _CALLER,
            "caller_role": "'admin'",
            "method": "'MANUAL'",
            "request_id": _REQUEST,
            "fingerprint": _FINGERPRINT,
            "patient_id": doctors.patient_id_sql(":n"),
            "kind": "'GeneralConsultation'",
            "timezone": "'UTC'",
            "specialty_required": "''",
            "patient_notes": "''",
            "day_limit": "3",
            "now": "now()",
            "traceparent": _TRACEPARENT,
            "appointment_ids": "ARRAY[gen_random_uuid()]",
            "doctor_ids": f"ARRAY[{doctors.doctor_id_sql(':doctor')}]",
            "start_times": f"ARRAY[{start}]",
            "end_times": f"ARRAY[{start} + interval '{doctors.VISIT_MINUTES} minutes']",
            "buffer_minutes": f"ARRAY[{doctors.BUFFER_MINUTES}]",
            "capacities": "ARRAY[1]",
            "days": f"ARRAY[({start} AT TIME ZONE 'UTC')::date]",
            "match_scores": "ARRAY[0.5]",
            "are_preferred": "ARRAY[false]",
            "answers": f"ARRAY[{_ANSWER}]",
            "statuses": "ARRAY['CONFIRMED']",
            "hold_expire_times": "ARRAY[NULL]",
            "require_approval": "ARRAY[false]",
            "match_policy_versions": "ARRAY[1]",
            "doctor_day_limits": "ARRAY[0]",
            "heed_holds": "true",
        },
    )
