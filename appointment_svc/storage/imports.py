"""Visits from elsewhere into the ledger: for a clinic that moves in from another system, and for the demo's past."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path

from psycopg.types.json import Jsonb

from appointment_svc.app.ports import Outcome
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import DailyLimitReached, PatientBusy, SlotTaken
from appointment_svc.domain.rules import Rules
from chassis.context import Role
from chassis.db import Database, Session
from chassis.sql import Queries
from chassis.telemetry import current_traceparent
from kernel.appointment_status import OCCUPYING
from kernel.errors import Refusal

_QUERIES = Queries(Path(__file__).with_name("imports.sql"))
_BATCH = 1_000
_DAILY_LIMIT = Rules().daily_limit
_ACTOR = "import"
_MINUTE = timedelta(minutes=1)

_REFUSALS: dict[str, tuple[type[Refusal], str]] = {
    Outcome.SLOT_TAKEN: (SlotTaken, "the doctor is busy at that time"),
    Outcome.PATIENT_BUSY: (PatientBusy, "the patient has another visit at that time"),
    Outcome.DAILY_LIMIT_REACHED: (DailyLimitReached, "the patient has too many active visits that day"),
}


@dataclass(frozen=True, slots=True)
class ImportedAppointment:
    """A visit as the other system tells it, in any state.

    `day` is the date of its start in the doctor's zone and `capacity` how many visits of the kind may share the time.
    Both matter only to a visit that still occupies its doctor. Its seat is the ledger's to choose, whatever
    `appointment.seat` says.
    """

    appointment: Appointment
    day: date
    capacity: int = 1


async def import_appointments(
    database: Database,
    visits: Iterable[ImportedAppointment],
    now: datetime,
    *,
    daily_limit: int = _DAILY_LIMIT,
    batch_size: int = _BATCH,
) -> int:
    """Adds visits to the ledger and the change feed, and tells how many were new.

    A visit whose id is there already is passed over, changed or not, so that an import that broke off is simply run
    again. Each batch is one transaction and a handful of statements. Visits that occupy time claim it by the rules of
    every booking; notice and horizon do not matter, because what was agreed elsewhere is agreed.

    Raises:
        SlotTaken, PatientBusy, DailyLimitReached: a visit contradicts another. Its batch leaves nothing behind,
            earlier batches stay; `metadata["appointment_id"]` names the visit.
    """
    remaining = iter(visits)
    added = 0
    while batch := list(islice(remaining, batch_size)):
        async with database.transaction() as session:
            added += await _import_batch(session, batch, now, daily_limit)
    return added


async def _import_batch(session: Session, batch: Sequence[ImportedAppointment], now: datetime, daily_limit: int) -> int:
    rows = Jsonb([_row(visit.appointment) for visit in batch])
    added = {row["appointment_id"] for row in await session.all(_QUERIES["add_appointments"], {"rows": rows})}
    occupying = [v for v in batch if v.appointment.id in added and v.appointment.status in OCCUPYING]
    if occupying:
        await _claim(session, occupying, daily_limit)
    event = {"now": now, "actor": _ACTOR, "actor_role": Role.SERVICE.value, "traceparent": current_traceparent()}
    await session.execute(_QUERIES["tell_imported"], {**event, "appointment_ids": list(added)})
    return len(added)


async def _claim(session: Session, visits: Sequence[ImportedAppointment], daily_limit: int) -> None:
    """All doctors first, then all patients, each in order.

    A booking that holds a doctor's time may wait for the patient's, never the other way round. In this order neither
    a booking nor another import can wait for us while we wait for it.
    """
    ids = [visit.appointment.id for visit in visits]
    capacities = [visit.capacity for visit in visits]
    days = [visit.day for visit in visits]
    seated = await session.all(
        _QUERIES["claim_doctors"], {"appointment_ids": ids, "capacities": capacities, "days": days}
    )
    _refuse_first((row["appointment_id"], Outcome.SLOT_TAKEN) for row in seated if row["seat"] is None)
    wanted = {"appointment_ids": ids, "days": days, "daily_limit": daily_limit}
    placed = await session.all(_QUERIES["claim_patients"], wanted)
    _refuse_first((row["appointment_id"], row["outcome"]) for row in placed if row["outcome"] != "OK")
    taken = {"appointment_ids": [r["appointment_id"] for r in seated], "seats": [r["seat"] for r in seated]}
    await session.execute(_QUERIES["take_seats"], taken)


def _refuse_first(refused: Iterator[tuple[str, str]]) -> None:
    for appointment_id, outcome in refused:
        refusal, message = _REFUSALS[outcome]
        raise refusal(message, metadata={"appointment_id": appointment_id})


def _row(visit: Appointment) -> dict[str, object]:
    """The columns of the table, as JSON."""
    return {
        "appointment_id": visit.id,
        "patient_id": visit.patient_id,
        "doctor_id": visit.doctor_id,
        "status": visit.status.value,
        "kind": visit.kind.value,
        "start_time": visit.start.isoformat(),
        "end_time": visit.end.isoformat(),
        "buffer_minutes": visit.buffer // _MINUTE,
        "seat": 0 if visit.status in OCCUPYING else visit.seat,
        "timezone": visit.timezone,
        "specialty_required": visit.specialty_required,
        "patient_notes": visit.patient_notes,
        "match_score": visit.match_score,
        "is_preferred_doctor": visit.is_preferred_doctor,
        "cancel_reason": visit.cancel_reason,
        "version": visit.version,
        "create_time": visit.create_time.isoformat(),
        "update_time": visit.update_time.isoformat(),
        "hold_expire_time": visit.hold_expire_time and visit.hold_expire_time.isoformat(),
        "requires_approval": visit.requires_approval,
        "match_policy_version": visit.match_policy_version,
        "rating": visit.rating,
        "rating_comment": visit.rating_comment,
    }
