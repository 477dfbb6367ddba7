"""Readable test data for the doctor domain: a rule, an agenda, a busy time, a candidate, each with fair defaults."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.matching import Candidate, DoctorProfile
from doctor_svc.domain.offers import Offer
from doctor_svc.domain.overrides import Override
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.window import BookingPolicy, Window
from kernel.appointment_types import AppointmentType

GENERAL = AppointmentType.GENERAL_CONSULTATION
FOLLOW_UP = AppointmentType.FOLLOW_UP
GROUP = AppointmentType.GROUP_SESSION
EMERGENCY = AppointmentType.EMERGENCY

WEDNESDAY = date(2026, 6, 17)
LONG_BEFORE = datetime(2026, 6, 1, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def at(clock: str, day: date = WEDNESDAY) -> datetime:
    """An instant of a day by its UTC clock."""
    return datetime.combine(day, time.fromisoformat(clock), UTC)


def block(text: str) -> WallBlock:
    """The block of "09:00-12:00"; an end of 24:00 is understood."""
    start, end = text.split("-")
    return WallBlock(time.fromisoformat(start), None if end == "24:00" else time.fromisoformat(end))


def rule(
    morning: str | None = "09:00-11:30",
    afternoon: str | None = None,
    *,
    on: date | int = 3,
    kind: AppointmentType = GENERAL,
    duration: float = 30,
    buffer: float = 10,
    capacity: int = 1,
    rule_id: str = "rule-1",
    doctor_id: str = "doctor-1",
    notice: timedelta | None = None,
    horizon_days: int | None = None,
) -> AvailabilityRule:
    """A rule for one date, or for a day of the week; Wednesday unless told."""
    weekly = isinstance(on, int)
    return AvailabilityRule(
        rule_id=rule_id,
        doctor_id=doctor_id,
        day_of_week=on if weekly else None,
        specific_date=None if weekly else on,
        kind=kind,
        duration=minutes(duration),
        buffer=minutes(buffer),
        capacity=capacity,
        morning=block(morning) if morning else None,
        afternoon=block(afternoon) if afternoon else None,
        notice=notice,
        horizon_days=horizon_days,
    )


def busy(start: str, end: str, kind: AppointmentType = GENERAL, seat: int = 0, day: date = WEDNESDAY) -> Busy:
    """A busy time by UTC clocks, its buffer included."""
    return Busy(at(start, day), at(end, day), kind, seat)


def agenda(
    *rules: AvailabilityRule,
    taken: Iterable[Busy] = (),
    zone: tzinfo = UTC,
    now: datetime = LONG_BEFORE,
    policy: BookingPolicy | None = None,
    overrides: Iterable[Override] = (),
    max_daily: int = 0,
) -> Agenda:
    return Agenda.at(
        now, zone, rules or (rule(),), taken, policy or BookingPolicy(), overrides=overrides, max_daily=max_daily
    )


def candidate(
    doctor_id: str = "doctor-1",
    *,
    visits: int = 0,
    free: int = 0,
    total: int = 0,
    booked: int = 0,
    rating: float = 0.0,
    ratings: int = 0,
    years: int = 0,
    specialty: str = "Cardiology",
    sub_specialties: tuple[str, ...] = (),
) -> Candidate:
    """A doctor to rank; nothing speaks for or against them unless told."""
    profile = DoctorProfile(
        doctor_id, "Ada", "Quist", specialty, sub_specialties, "Europe/Oslo", rating, ratings, years
    )
    window = Window(at("09:00"), at("12:00"))
    return Candidate(profile, visits, Offer(window, free=free, total=total, booked_that_day=booked))
