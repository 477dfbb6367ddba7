"""Working weeks of the demo clinic: patterns by name, and the availability rules that they stand for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from kernel.appointment_types import AppointmentType, default_buffer, default_duration
from stack.demo_ids import demo_id

_CLINIC_BUFFER = timedelta(minutes=10)
_MIDNIGHT_END = "24:00"
_SUN, _MON, _TUE, _WED, _THU, _FRI, _SAT = range(7)
_WORKDAYS = (_MON, _TUE, _WED, _THU, _FRI)

_GENERAL = AppointmentType.GENERAL_CONSULTATION
_FOLLOW_UP = AppointmentType.FOLLOW_UP
_SPECIALTY = AppointmentType.SPECIALTY_CONSULTATION
_THERAPY = AppointmentType.MENTAL_HEALTH
_WOMENS_HEALTH = AppointmentType.WOMENS_HEALTH
_RENEWAL = AppointmentType.PRESCRIPTION_RENEWAL
_CHECK_IN = AppointmentType.TELEHEALTH_CHECK_IN
_GROUP = AppointmentType.GROUP_SESSION
_EMERGENCY = AppointmentType.EMERGENCY


@dataclass(frozen=True, slots=True)
class Hours:
    """The same hours on some days, 0 = Sunday, for visits of one kind; blocks are written `09:00-12:00`.

    `coming` makes them hours of one date each: the first such weekday after the clinic has opened. Minutes of None
    are those of the kind.
    """

    kind: AppointmentType
    days: tuple[int, ...]
    morning: str = ""
    afternoon: str = ""
    minutes: int | None = None
    buffer_minutes: int | None = None
    capacity: int = 1
    coming: bool = False


PATTERNS: Mapping[str, Hours] = {
    # The general hours; each doctor has one of these.
    "office": Hours(_GENERAL, _WORKDAYS, "09:00-12:00", "14:00-17:00"),
    "early": Hours(_GENERAL, _WORKDAYS, "07:00-11:00", "12:00-15:00"),
    "mornings": Hours(_GENERAL, _WORKDAYS, "08:30-12:30"),
    "afternoons": Hours(_GENERAL, _WORKDAYS, "", "13:00-18:00"),
    "evenings": Hours(_GENERAL, (_MON, _TUE, _WED, _THU), "10:00-12:00", "17:00-21:00"),
    "saturdays": Hours(_GENERAL, (_TUE, _THU, _SAT), "09:00-13:00"),
    "part-time": Hours(_GENERAL, (_MON, _WED, _FRI), "09:00-12:30", "13:30-16:00"),
    "sunday-to-thursday": Hours(_GENERAL, (_SUN, _MON, _TUE, _WED, _THU), "08:00-12:00", "13:00-16:00"),
    "short-visits": Hours(_GENERAL, _WORKDAYS, "09:00-12:00", "14:00-16:30", minutes=20, buffer_minutes=5),
    "long-visits": Hours(_GENERAL, (_MON, _TUE, _THU), "09:00-12:00", "13:00-17:00", minutes=45, buffer_minutes=15),
    # What some take besides.
    "follow-ups": Hours(_FOLLOW_UP, _WORKDAYS, "", "17:00-18:30"),
    "noon-follow-ups": Hours(_FOLLOW_UP, (_TUE, _THU), "", "12:00-13:30"),
    "specialty": Hours(_SPECIALTY, (_TUE, _THU), "", "14:00-17:00"),
    "specialty-mornings": Hours(_SPECIALTY, (_WED, _FRI), "08:00-10:45"),
    "therapy": Hours(_THERAPY, (_MON, _TUE, _WED, _THU), "10:00-13:00", "15:00-19:00"),
    "group": Hours(_GROUP, (_WED, _SAT), "", "18:00-20:30", capacity=6),
    "renewals": Hours(_RENEWAL, _WORKDAYS, "08:00-09:00"),
    "urgent": Hours(_EMERGENCY, _WORKDAYS, "", "12:00-14:00"),
    "womens-health": Hours(_WOMENS_HEALTH, (_MON, _WED), "", "13:00-17:00"),
    # Ten minutes each, so that a visit at 23:50 still ends on its day.
    "on-call": Hours(_CHECK_IN, tuple(range(7)), "00:00-24:00", minutes=10),
    # Hours of one date, in place of the weekly ones.
    "open-saturday": Hours(_GENERAL, (_SAT,), "10:00-13:00", coming=True),
    "short-friday": Hours(_GENERAL, (_FRI,), "09:00-11:00", coming=True),
    "late-monday": Hours(_GENERAL, (_MON,), "", "14:00-20:00", coming=True),
}


def rules_for(doctor_id: str, patterns: Iterable[str], opening_day: date) -> Iterator[AvailabilityRule]:
    """The rules of a doctor who works by these patterns. Raises KeyError for one that there is not."""
    for name in patterns:
        hours = PATTERNS[name]
        for day in hours.days:
            yield AvailabilityRule(
                rule_id=demo_id("rule", doctor_id, name, day),
                doctor_id=doctor_id,
                day_of_week=None if hours.coming else day,
                specific_date=_coming(day, opening_day) if hours.coming else None,
                kind=hours.kind,
                duration=_minutes(hours.minutes, default_duration(hours.kind)),
                buffer=_minutes(hours.buffer_minutes, default_buffer(hours.kind, _CLINIC_BUFFER)),
                capacity=hours.capacity,
                morning=_block(hours.morning),
                afternoon=_block(hours.afternoon),
            )


def _coming(weekday: int, after: date) -> date:
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def _minutes(given: int | None, otherwise: timedelta) -> timedelta:
    return otherwise if given is None else timedelta(minutes=given)


def _block(text: str) -> WallBlock | None:
    if not text:
        return None
    start, end = text.split("-")
    return WallBlock(time.fromisoformat(start), None if end == _MIDNIGHT_END else time.fromisoformat(end))
