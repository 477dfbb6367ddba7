"""What a doctor's calendar would look like: everything that slots are made of, given and not stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import count, islice

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.diary import slots_between
from doctor_svc.domain.overrides import Override
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.window import BookingPolicy
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot

MOST_SLOTS = 5000


@dataclass(frozen=True, slots=True)
class Scene:
    """A doctor as imagined, and the question: free slots from one day to another, both included, as seen at `now`."""

    zone: tzinfo
    rules: tuple[AvailabilityRule, ...]
    overrides: tuple[Override, ...]
    busy: tuple[Busy, ...]
    now: datetime
    policy: BookingPolicy
    first: date
    last: date
    kind: AppointmentType | None = None
    duration: timedelta | None = None
    max_daily: int = 0


def slots_in(scene: Scene) -> list[Slot]:
    """The free slots by start and kind, at most MOST_SLOTS; made by the generator that makes all others."""
    agenda = Agenda.at(
        scene.now,
        scene.zone,
        scene.rules,
        scene.busy,
        scene.policy,
        overrides=scene.overrides,
        max_daily=scene.max_daily,
    )
    days = slots_between(
        agenda, max(scene.first, agenda.today), min(scene.last, agenda.last_day), scene.kind, scene.duration
    )
    return list(islice((slot for day in days for slot in day), MOST_SLOTS))


def seated(times: Iterable[tuple[datetime, datetime, AppointmentType]]) -> tuple[Busy, ...]:
    """Busy times `[start, end)` of kinds, each on the first seat that is free among those of its kind, by start."""
    taken: list[Busy] = []
    for start, end, kind in sorted(times):
        met = {item.seat for item in taken if item.kind is kind and item.start < end and start < item.end}
        taken.append(Busy(start, end, kind, next(seat for seat in count() if seat not in met)))
    return tuple(taken)
