"""Holds that have run out, by the clock of the database: every replica says the same of a hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appointment_svc.domain.changes import Change
from appointment_svc.storage import numbers
from chassis.clock import Clock, lead_of, system_clock
from chassis.db import Database
from chassis.decisions import decided
from chassis.signals import Signal
from chassis.sql import Queries
from chassis.telemetry import current_traceparent
from kernel.appointment_status import AppointmentStatus

_QUERIES = Queries(Path(__file__).with_name("holds.sql"))
# Who lets things happen when their time has come, in the history of an appointment.
CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class PostgresHolds:
    """Implements app.time_ports.Holds. `clock` only says how far the clinic's time is moved from the real one."""

    database: Database
    committed: Signal
    clock: Clock = system_clock

    async def moment(self) -> datetime:
        """See the port."""
        lead = lead_of(self.clock)
        row = await self.database.one(_QUERIES["moment"])
        assert row is not None, "a query without a table answers one row"  # noqa: S101 - for the type checker
        now: datetime = row["moment"]
        return now.astimezone(UTC) + lead

    async def expire_of(self, doctor_ids: Sequence[str], patient_id: str) -> int:
        """Lets the holds of a patient and of some doctors that have run out expire; tells how many there were.

        A transaction of its own, to be over before others are waited for.
        """
        row = await self.database.one(
            _QUERIES["expire_holds_of"],
            {
                "doctor_ids": list(doctor_ids),
                "patient_id": patient_id,
                "now": await self.moment(),
                "actor": CLOCK,
                "traceparent": current_traceparent(),
            },
        )
        expired: int = row["expired"] if row else 0
        if expired:
            self.committed.fire()
            decided("timeout", "hold_runs_out", count=expired)
            numbers.changes.labels(Change.EXPIRED.value, AppointmentStatus.HELD.value).inc(expired)
        return expired
