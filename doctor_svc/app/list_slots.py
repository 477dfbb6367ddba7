"""Lists the free slots of one doctor over some days, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis.clock import Clock
from chassis.context import Caller
from chassis.paging import page_length
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.diary import require_days, slots_between
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.window import BookingPolicy, stretch_of_days
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.slots import Slot

# A kind's place in the vocabulary: slots of one start come in this order.
_PLACES = {kind: place for place, kind in enumerate(AppointmentType)}
Position = tuple[datetime, AppointmentType]


@dataclass(frozen=True, slots=True)
class SlotsQuestion:
    """Which days of the doctor's calendar, both included, and the slot after which the page begins."""

    doctor_id: str
    first: date
    last: date
    kind: AppointmentType | None
    duration: timedelta | None
    after: Position | None
    page_size: int
    at_least_revision: str


@dataclass(frozen=True, slots=True)
class SlotsPage:
    """Some slots by start and kind, the doctor's zone, and after which slot the next page begins; None on the last."""

    timezone: str
    slots: Sequence[Slot]
    next: Position | None


@dataclass(frozen=True, slots=True)
class ListSlots:
    """The use case."""

    schedules: Schedules
    await_revision: AwaitRevision
    policy: BookingPolicy
    clock: Clock

    async def __call__(self, caller: Caller, question: SlotsQuestion) -> SlotsPage:
        """One page. Raises InvalidArgument, DoctorNotFound, Unavailable."""
        length = page_length(question.page_size)
        require_days(question.first, question.last)
        stretch = stretch_of_days(question.first, question.last, "from")
        await self.await_revision(question.at_least_revision)
        now = self.clock()
        schedule = await self.schedules.of_doctor(question.doctor_id, None, stretch, now)
        may_see = is_self_or_staff(caller, question.doctor_id)
        if schedule is None or not (may_see or (schedule.is_verified and schedule.is_active)):
            raise DoctorNotFound
        agenda = schedule.agenda(now, self.policy)
        # What lies before the page, before today or past the horizon is not worth a look.
        first = max(question.first, agenda.today, *([day_of(question.after[0], agenda.zone)] if question.after else []))
        last = min(question.last, agenda.last_day)
        found: list[Slot] = []
        for slots in slots_between(agenda, first, last, question.kind, question.duration):
            found += [slot for slot in slots if question.after is None or _place(slot) > _placed(question.after)]
            if len(found) > length:
                return SlotsPage(schedule.profile.timezone, found[:length], _position(found[length - 1]))
        return SlotsPage(schedule.profile.timezone, found, None)


def _position(slot: Slot) -> Position:
    return slot.start, slot.kind


def _place(slot: Slot) -> tuple[datetime, int]:
    return _placed(_position(slot))


def _placed(position: Position) -> tuple[datetime, int]:
    return position[0], _PLACES[position[1]]
