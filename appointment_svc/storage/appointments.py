"""The appointments on PostgreSQL: read, listed by key, and called off under a row lock."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from appointment_svc.app.ports import ChangeOrder, ListFilter, NewTime, PagePosition, RequestKey
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.changes import Change, change_between
from appointment_svc.domain.errors import (
    AppointmentNotFound,
    DailyLimitReached,
    DoctorDayFull,
    PatientBusy,
    SlotTaken,
)
from appointment_svc.domain.overriding import RuleOverride
from appointment_svc.storage import numbers
from appointment_svc.storage.filters import conditions_of, where
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.ledger import key_reused
from appointment_svc.storage.overrides import note_override
from appointment_svc.storage.rows import QUERIES, appointment_of
from chassis.accesses import note_event
from chassis.db import Database, Session
from chassis.decisions import decided
from chassis.metrics import replays
from chassis.signals import Signal
from chassis.telemetry import current_traceparent
from kernel.appointment_status import OCCUPYING

_AFTER = "(start_time, appointment_id) < (%(after_start)s::timestamptz, %(after_id)s::uuid)"

# What a hold that has run out may be the cause of.
_IN_THE_WAY = (SlotTaken, DoctorDayFull, PatientBusy, DailyLimitReached)


@dataclass(frozen=True, slots=True)
class PostgresAppointments:
    """Implements app.ports.Appointments. `committed` wakes the sequencer after each change."""

    database: Database
    committed: Signal
    holds: PostgresHolds

    async def get(self, appointment_id: str) -> Appointment | None:
        """See the port."""
        row = await self.database.one(QUERIES["get_appointment"], {"appointment_id": appointment_id})
        return appointment_of(row) if row else None

    async def page(self, wanted: ListFilter, after: PagePosition | None, limit: int) -> list[Appointment]:
        """See the port. Only the filters that are set become conditions, so that each has its index."""
        if after is not None and wanted.until is not None and after.start < wanted.until:
            # The position says more, and PostgreSQL would start at the weaker of the two bounds and read its way down.
            wanted = replace(wanted, until=None)
        conditions, values = conditions_of(wanted)
        if after is not None:
            conditions.append(_AFTER)
            values |= {"after_start": after.start, "after_id": after.appointment_id}
        query = where(QUERIES["list_appointments"], conditions)
        rows = await self.database.all(query, {**values, "limit": limit})
        return [appointment_of(row) for row in rows]

    async def saved_answer(self, order: ChangeOrder) -> bytes | None:
        """See the port."""
        if order.key is None:
            return None
        row = await self.database.one(QUERIES["saved_answer"], _request(order))
        if row is None:
            return None
        answer = _answer_in(row, order.key)
        await self.database.secure()
        replays.labels(order.method).inc()
        return answer

    async def change(
        self,
        order: ChangeOrder,
        now: datetime,
        decide: Callable[[Appointment], Appointment],
        new_time: NewTime | None = None,
    ) -> bytes:
        """See the port."""
        try:
            return await self._change(order, now, decide, new_time)
        except _IN_THE_WAY as refusal:
            numbers.conflicts.labels(order.method, refusal.reason).inc()
            current = await self.get(order.appointment_id)
            if (
                new_time is None
                or current is None
                or not await self.holds.expire_of([current.doctor_id], current.patient_id)
            ):
                raise
            return await self._change(order, now, decide, new_time)

    async def _change(
        self, order: ChangeOrder, now: datetime, decide: Callable[[Appointment], Appointment], new_time: NewTime | None
    ) -> bytes:
        async with self.database.transaction() as session:
            replayed = await _claim_request(session, order, now)
            if replayed is not None:
                replays.labels(order.method).inc()
                return replayed
            row = await session.one(QUERIES["lock_appointment"], {"appointment_id": order.appointment_id})
            if row is None:
                raise AppointmentNotFound.of()
            current = appointment_of(row)
            changed = decide(current)
            if new_time is not None:
                changed = await _move(session, changed, new_time)
            elif current.status in OCCUPYING and changed.status not in OCCUPYING:
                await session.execute(QUERIES["release_claims"], _whose(changed))
            kind = change_between(current, changed) if changed.version != current.version else None
            if kind is not None:
                await session.execute(QUERIES["change_appointment"], _written(order, changed, kind))
            if (override := order.overridden(current)) is not None:
                await note_override(session, changed.id, override, order.caller, now)
                changed = replace(changed, version=changed.version + 1)
            answer = order.answer(changed)
            if order.key is not None:
                await session.execute(QUERIES["save_answer"], {**_request(order), "answer": answer})
        if changed.version != current.version:
            note_event()
        self.committed.fire()
        _tell(current, changed, kind, override)
        return answer


def _tell(before: Appointment, after: Appointment, kind: Change | None, override: RuleOverride | None) -> None:
    """What log and metrics say of a change that was committed."""
    decided("appointment", after.status.value, was=before.status.value)
    if override is not None:
        decided("override", "used", overridden_rules=override.listed)
    if kind is not None:
        numbers.changes.labels(kind.value, before.status.value).inc()


def _request(order: ChangeOrder) -> dict[str, object]:
    key = order.key
    return {
        "caller": order.caller.subject,
        "method": order.method,
        "request_id": key.request_id if key else None,
        "fingerprint": key.fingerprint if key else None,
    }


async def _claim_request(session: Session, order: ChangeOrder, now: datetime) -> bytes | None:
    """The answer saved by an earlier call with this key; otherwise the key is ours, and a twin waits for us."""
    if order.key is None or await session.execute(QUERIES["claim_request"], {**_request(order), "now": now}):
        return None
    row = await session.one(QUERIES["saved_answer"], _request(order))
    if row is None:
        return None
    answer = _answer_in(row, order.key)
    await session.secure()
    return answer


def _answer_in(row: dict[str, Any], key: RequestKey) -> bytes:
    if bytes(row["fingerprint"]) != key.fingerprint:
        raise key_reused()
    return bytes(row["answer"])


async def _move(session: Session, changed: Appointment, new_time: NewTime) -> Appointment:
    """The appointment with the seat that it has at its new time."""
    asked = {"capacity": new_time.capacity, "day": new_time.day, "day_limit": new_time.daily_limit}
    asked["doctor_day_limit"] = new_time.doctor_daily_limit
    try:
        row = await session.one(
            QUERIES["move_claims"], {**_whose(changed), **_when(changed), **asked, "kind": changed.kind.value}
        )
    except psycopg.Error as error:
        raise _refusal_of(error, new_time) from None
    return replace(changed, seat=row["seat"] if row else 0)


def _refusal_of(error: psycopg.Error, new_time: NewTime) -> Exception:
    """What move_claims says by its own SQLSTATEs; anything else is the database's own trouble."""
    match error.sqlstate, error.diag.message_primary:
        case "TM001", "DOCTOR_DAY_FULL":
            return DoctorDayFull.of(new_time.day, new_time.doctor_daily_limit)
        case "TM001", _:
            return SlotTaken.of()
        case "TM002", "DAILY_LIMIT_REACHED":
            return DailyLimitReached.of(new_time.daily_limit)
        case "TM002", _:
            return PatientBusy.of()
    return error


def _whose(appointment: Appointment) -> dict[str, object]:
    return {
        "appointment_id": appointment.id,
        "doctor_id": appointment.doctor_id,
        "patient_id": appointment.patient_id,
    }


def _when(appointment: Appointment) -> dict[str, object]:
    return {
        "start_time": appointment.start,
        "end_time": appointment.end,
        "buffer_minutes": int(appointment.buffer.total_seconds()) // 60,
    }


def _written(order: ChangeOrder, changed: Appointment, kind: Change) -> dict[str, object]:
    return {
        **_when(changed),
        "appointment_id": changed.id,
        "status": changed.status.value,
        "cancel_reason": changed.cancel_reason,
        "seat": changed.seat,
        "version": changed.version,
        "now": changed.update_time,
        "hold_expire_time": changed.hold_expire_time,
        "patient_arrival_time": changed.patient_arrival_time,
        "doctor_arrival_time": changed.doctor_arrival_time,
        "rating": changed.rating,
        "rating_comment": changed.rating_comment,
        "change_kind": kind.value,
        "reason": changed.cancel_reason if kind is Change.CANCELLED else "",
        "caller": order.caller.subject,
        "caller_role": order.caller.role.value,
        "traceparent": current_traceparent(),
    }
