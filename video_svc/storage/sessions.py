"""Sessions in PostgreSQL: rows to sessions, and arrivals back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis.db import Database
from kernel.appointment_status import AppointmentStatus
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.session import Arrival, Session
from video_svc.domain.visit import ParticipantType, Visit
from video_svc.storage.sql import QUERIES

_GET = QUERIES["get_session"]
_GET_OF_APPOINTMENT = QUERIES["get_session_of_appointment"]
_LOCK_OF_APPOINTMENT = QUERIES["lock_session_of_appointment"]
_KEEP_ARRIVAL = QUERIES["keep_arrival"]
_PING = QUERIES["ping"]


class PostgresSessions:
    """Keeps the promises of video_svc.app.ports.Sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, session_id: str) -> Session | None:
        """The session of that id, or None."""
        return _session(await self._database.all(_GET, {"session_id": session_id}))

    async def of_appointment(self, appointment_id: str) -> Session | None:
        """The session of an appointment, or None while no change of it has been copied."""
        return _session(await self._database.all(_GET_OF_APPOINTMENT, {"appointment_id": appointment_id}))

    async def change(self, appointment_id: str, rule: Callable[[Session], Session]) -> Session:
        """Keeps what `rule` makes of the session, under its lock. Raises SessionNotFound and whatever the rule does."""
        key = {"appointment_id": appointment_id}
        async with self._database.transaction() as transaction:
            # Locked first and read after: a row that waited for its lock would bring the arrivals of before the wait.
            await transaction.one(_LOCK_OF_APPOINTMENT, key)
            before = _session(await transaction.all(_GET_OF_APPOINTMENT, key))
            if before is None:
                raise SessionNotFound
            after = rule(before)
            for arrival in after.arrivals:
                if arrival not in before.arrivals:
                    await transaction.execute(_KEEP_ARRIVAL, _arrival_row(after.session_id, arrival))
        return after

    async def ping(self) -> None:
        """Returns when the database answers, and raises when it cannot."""
        await self._database.one(_PING)


def _session(rows: Sequence[Mapping[str, Any]]) -> Session | None:
    if not rows:
        return None
    arrivals = tuple(
        Arrival(ParticipantType(row["participant_type"]), row["join_time"])
        for row in rows
        if row["participant_type"] is not None
    )
    return Session(session_id=rows[0]["session_id"], visit=_visit(rows[0]), arrivals=arrivals)


def _visit(row: Mapping[str, Any]) -> Visit:
    return Visit(
        appointment_id=row["appointment_id"],
        patient_id=row["patient_id"],
        doctor_id=row["doctor_id"],
        status=AppointmentStatus(row["appointment_status"]),
        start=row["start_time"],
        end=row["end_time"],
        version=row["appointment_version"],
    )


def _arrival_row(session_id: str, arrival: Arrival) -> dict[str, object]:
    return {"session_id": session_id, "participant_type": arrival.side.value, "join_time": arrival.time}
