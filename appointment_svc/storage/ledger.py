"""The ledger on PostgreSQL: one statement a booking; the exclusion constraints have the last word."""

from dataclasses import dataclass
from typing import Any

from appointment_svc.app.ports import Attempt, Method, Order, Outcome, RequestKey, Verdict
from appointment_svc.domain.changes import Change
from appointment_svc.storage import numbers
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.overrides import note_override
from appointment_svc.storage.rows import QUERIES
from chassis.accesses import is_out_of_the_ordinary, note_event
from chassis.context import Caller
from chassis.db import Database
from chassis.metrics import replays
from chassis.signals import Signal
from chassis.telemetry import current_traceparent
from kernel.errors import IdempotencyKeyReused

_BOOK = QUERIES["book"]
_SAVED_ANSWER = QUERIES["saved_answer"]
_NOTE_ATTEMPT = QUERIES["note_attempt"]
# An outcome that stays in here: what stood in the way is cleared away and the order tried once more.
_HOLDS_RAN_OUT = "HOLDS_RAN_OUT"


def key_reused() -> IdempotencyKeyReused:
    """The refusal of a key that came with another wish before."""
    return IdempotencyKeyReused("this request_id was used before, with a different request; use a new one")


@dataclass(frozen=True, slots=True)
class PostgresLedger:
    """Implements app.ports.Ledger. `committed` wakes the sequencer after each booking."""

    database: Database
    committed: Signal
    holds: PostgresHolds

    async def book(self, order: Order) -> Verdict:
        """See the port. A lost connection raises psycopg.OperationalError; the key alone then tells what happened."""
        row = await self._book(order, heed_holds=True)
        if row["outcome"] == _HOLDS_RAN_OUT:
            doctors = [draft.appointment.doctor_id for draft in order.drafts]
            await self.holds.expire_of(doctors, order.drafts[0].appointment.patient_id)
            row = await self._book(order, heed_holds=False)
        if row["outcome"] == "REQUEST_ID_REUSED":
            raise key_reused()
        outcome = Outcome(row["outcome"])
        verdict = Verdict(outcome, (row["candidate"] or 1) - 1, bytes(row["answer"] or b""))
        if outcome is Outcome.BOOKED:
            note_event()
            self.committed.fire()
        elif outcome is Outcome.REPLAYED:
            await self.database.secure()
        _count(order, verdict)
        return verdict

    async def _book(self, order: Order, *, heed_holds: bool) -> dict[str, Any]:
        values = {**_parameters(order), "heed_holds": heed_holds}
        if order.override is None and not is_out_of_the_ordinary(order.caller):
            row = await self.database.one(_BOOK, values)
        else:
            async with self.database.transaction() as session:
                row = await session.one(_BOOK, values)
                if order.override is not None and row is not None and row["outcome"] == Outcome.BOOKED:
                    booked = order.drafts[row["candidate"] - 1].appointment
                    await note_override(session, booked.id, order.override, order.caller, order.now)
        assert row is not None, "a function with OUT parameters answers one row"  # noqa: S101 - for the type checker
        return row

    async def saved_answer(self, caller: Caller, method: Method, key: RequestKey) -> bytes | None:
        """See the port."""
        row = await self.database.one(
            _SAVED_ANSWER, {"caller": caller.subject, "method": method.value, "request_id": key.request_id}
        )
        if row is None:
            return None
        if bytes(row["fingerprint"]) != key.fingerprint:
            raise key_reused()
        await self.database.secure()
        replays.labels(method.value).inc()
        return bytes(row["answer"])

    async def note_attempt(self, attempt: Attempt) -> None:
        """See the port."""
        numbers.attempts.labels(attempt.method.value, attempt.reason).inc()
        await self.database.execute(
            _NOTE_ATTEMPT,
            {
                "time": attempt.time,
                "method": attempt.method.value,
                "reason": attempt.reason,
                "kind": attempt.kind.value,
                "specialty_required": attempt.specialty_required,
            },
        )


def _count(order: Order, verdict: Verdict) -> None:
    method, outcome = order.method.value, verdict.outcome
    if outcome is Outcome.REPLAYED:
        replays.labels(method).inc()
    elif outcome is Outcome.BOOKED:
        booked = order.drafts[verdict.draft].appointment
        numbers.attempts.labels(method, outcome.value).inc()
        numbers.bookings.labels(method, str(booked.is_preferred_doctor).lower()).inc()
        numbers.changes.labels((Change.HELD if order.method is Method.HOLD else Change.BOOKED).value, "").inc()
        if booked.match_score:
            numbers.match_score.labels(method).observe(booked.match_score)
    else:
        numbers.conflicts.labels(method, outcome.value).inc()


def _parameters(order: Order) -> dict[str, object]:
    drafts = order.drafts
    first = drafts[0].appointment
    return {
        "caller": order.caller.subject,
        "caller_role": order.caller.role.value,
        "method": order.method.value,
        "request_id": order.key.request_id if order.key else None,
        "fingerprint": order.key.fingerprint if order.key else None,
        "patient_id": first.patient_id,
        "kind": first.kind.value,
        "timezone": first.timezone,
        "specialty_required": first.specialty_required,
        "patient_notes": first.patient_notes,
        "day_limit": order.daily_limit,
        "now": order.now,
        "traceparent": current_traceparent(),
        "appointment_ids": [d.appointment.id for d in drafts],
        "doctor_ids": [d.appointment.doctor_id for d in drafts],
        "start_times": [d.appointment.start for d in drafts],
        "end_times": [d.appointment.end for d in drafts],
        "buffer_minutes": [int(d.appointment.buffer.total_seconds()) // 60 for d in drafts],
        "capacities": [d.candidate.slot.capacity for d in drafts],
        "days": [d.day for d in drafts],
        "match_scores": [d.appointment.match_score for d in drafts],
        "are_preferred": [d.appointment.is_preferred_doctor for d in drafts],
        "answers": [d.answer for d in drafts],
        "statuses": [d.appointment.status.value for d in drafts],
        "hold_expire_times": [d.appointment.hold_expire_time for d in drafts],
        "require_approval": [d.appointment.requires_approval for d in drafts],
        "match_policy_versions": [d.appointment.match_policy_version for d in drafts],
        "doctor_day_limits": [d.candidate.offer.max_daily_appointments for d in drafts],
    }
