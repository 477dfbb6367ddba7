"""The appointments on PostgreSQL: read, listed by key, and called off under a row lock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appointment_svc.app.ports import BusyTime, ChangeOrder, ListFilter, PagePosition
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import AppointmentNotFound
from appointment_svc.storage.ledger import key_reused
from appointment_svc.storage.rows import QUERIES, appointment_of
from chassis.db import Database, Session
from chassis.signals import Signal
from chassis.sql import Query
from chassis.telemetry import current_traceparent
from kernel.appointment_status import OCCUPYING
from kernel.appointment_types import AppointmentType

_CONDITIONS = {
    "patient_id": "patient_id = %(patient_id)s::uuid",
    "doctor_id": "doctor_id = %(doctor_id)s::uuid",
    "status": "status = %(status)s::appointment_status",
    "kind": "kind = %(kind)s::appointment_kind",
    "since": "start_time >= %(since)s::timestamptz",
    "until": "start_time < %(until)s::timestamptz",
}
_AFTER = "(start_time, appointment_id) < (%(after_start)s::timestamptz, %(after_id)s::uuid)"


@dataclass(frozen=True, slots=True)
class PostgresAppointments:
    """Implements app.ports.Appointments and app.ports.Claims. `committed` wakes the sequencer after each change."""

    database: Database
    committed: Signal

    async def get(self, appointment_id: str) -> Appointment | None:
        """See the port."""
        row = await self.database.one(QUERIES["get_appointment"], {"appointment_id": appointment_id})
        return appointment_of(row) if row else None

    async def page(self, wanted: ListFilter, after: PagePosition | None, limit: int) -> list[Appointment]:
        """See the port. Only the filters that are set become conditions, so that each has its index."""
        values = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
        conditions = [_CONDITIONS[name] for name in values]
        if after is not None:
            conditions.append(_AFTER)
            values |= {"after_start": after.start, "after_id": after.appointment_id}
        listing = QUERIES["list_appointments"]
        query = Query(listing.name, listing.text.replace("{conditions}", " AND ".join(conditions) or "true"))
        rows = await self.database.all(query, {**values, "limit": limit})
        return [appointment_of(row) for row in rows]

    async def change(self, order: ChangeOrder, now: datetime, decide: Callable[[Appointment], Appointment]) -> bytes:
        """See the port."""
        async with self.database.transaction() as session:
            replayed = await _claim_request(session, order, now)
            if replayed is not None:
                return replayed
            row = await session.one(QUERIES["lock_appointment"], {"appointment_id": order.appointment_id})
            if row is None:
                raise AppointmentNotFound.of()
            changed = decide(appointment_of(row))
            await _store(session, order, changed, now)
            answer = order.answer(changed)
            if order.key is not None:
                await session.execute(QUERIES["save_answer"], {**_request(order), "answer": answer})
        self.committed.fire()
        return answer

    async def ping(self) -> None:
        """Raises while the database does not answer."""
        await self.database.one(QUERIES["ping"])

    async def of_doctor(self, doctor_id: str, start: datetime, end: datetime) -> list[BusyTime]:
        """See app.ports.Claims."""
        rows = await self.database.all(QUERIES["doctor_claims"], {"doctor_id": doctor_id, "start": start, "end": end})
        return [_busy_time(row) for row in rows]

    async def of_patient(self, patient_id: str, start: datetime, end: datetime) -> list[BusyTime]:
        """See app.ports.Claims."""
        rows = await self.database.all(
            QUERIES["patient_claims"], {"patient_id": patient_id, "start": start, "end": end}
        )
        return [_busy_time(row) for row in rows]


def _busy_time(row: dict[str, object]) -> BusyTime:
    return BusyTime(
        appointment_id=str(row["appointment_id"]),
        kind=AppointmentType(str(row["kind"])),
        seat=row["seat"],  # type: ignore[arg-type]
        start=row["start_time"],  # type: ignore[arg-type]
        end=row["end_time"],  # type: ignore[arg-type]
    )


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
    if row is None or bytes(row["fingerprint"]) != order.key.fingerprint:
        raise key_reused()
    return bytes(row["answer"])


async def _store(session: Session, order: ChangeOrder, changed: Appointment, now: datetime) -> None:
    if changed.status not in OCCUPYING:
        await session.execute(
            QUERIES["release_claims"],
            {"appointment_id": changed.id, "doctor_id": changed.doctor_id, "patient_id": changed.patient_id},
        )
    await session.execute(
        QUERIES["change_status"],
        {
            "appointment_id": changed.id,
            "status": changed.status.value,
            "cancel_reason": changed.cancel_reason,
            "version": changed.version,
            "now": now,
            "change_kind": changed.status.value,
            "caller": order.caller.subject,
            "caller_role": order.caller.role.value,
            "reason_code": "",
            "traceparent": current_traceparent(),
        },
    )
