"""Counts what is open now: holds, visits that wait or are under way, changes without a number; and the last audit."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from appointment_svc.app.numbers import audit_age, audit_faults, open_now, unnumbered
from appointment_svc.app.time_ports import Holds
from kernel.appointment_status import AppointmentStatus


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are; `unnumbered` stops counting at a number that is bad enough."""

    held: int
    pending: int
    in_progress: int
    unnumbered: int


@dataclass(frozen=True, slots=True)
class LastAudit:
    """How many faults the last noted audit of the history found, and how long ago it ended."""

    faults: int
    age_seconds: float


class Counting(Protocol):
    """Who can count."""

    async def now(self, moment: datetime) -> Counts:
        """What is open at this moment of the clinic's time; a hold that has run out is not."""
        ...

    async def last_audit(self) -> LastAudit | None:
        """The last audit that was noted, if there was one."""
        ...


@dataclass(frozen=True, slots=True)
class CountNow:
    """The use case. Every replica counts: it costs a millisecond, and whichever is asked can answer."""

    counting: Counting
    holds: Holds

    async def __call__(self) -> None:
        """Counts once."""
        counts = await self.counting.now(await self.holds.moment())
        open_now.labels(AppointmentStatus.HELD.value).set(counts.held)
        open_now.labels(AppointmentStatus.PENDING.value).set(counts.pending)
        open_now.labels(AppointmentStatus.IN_PROGRESS.value).set(counts.in_progress)
        unnumbered.set(counts.unnumbered)
        audit = await self.counting.last_audit()
        audit_faults.set(audit.faults if audit else 0)
        # A history that was never verified is overdue, not fresh.
        audit_age.set(audit.age_seconds if audit else math.inf)
