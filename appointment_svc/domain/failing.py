"""Every rule that a wish for a time breaks, not only the first, each with the figure that would work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from appointment_svc.domain.appointment import MOVABLE, TRANSITIONS, Appointment
from appointment_svc.domain.errors import (
    DailyLimitReached,
    DoctorDayFull,
    OutsideWorkingHours,
    PatientBusy,
    SlotTaken,
    TooFarAhead,
    TooLateToCancel,
    TooLateToReschedule,
    TooSoon,
    WrongState,
)
from appointment_svc.domain.rules import Rules
from kernel.appointment_status import AppointmentStatus
from kernel.civil_time import day_of
from kernel.doctor_refusals import DoctorUnverified, SpecialtyNotAvailable
from kernel.errors import Refusal
from kernel.slots import AlternativeSlot

# The order in which booking asks: of several failing rules, the first is the reason of the refusal.
PRECEDENCE = (
    "TOO_SOON",
    "DOCTOR_UNVERIFIED",
    "SPECIALTY_NOT_AVAILABLE",
    "TOO_FAR_AHEAD",
    "OUTSIDE_WORKING_HOURS",
    "NO_AVAILABILITY",
    "WRONG_STATE",
    "TOO_LATE_TO_CANCEL",
    "TOO_LATE_TO_RESCHEDULE",
    "DOCTOR_DAY_FULL",
    "SLOT_TAKEN",
    "PATIENT_BUSY",
    "DAILY_LIMIT_REACHED",
)
_A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DoctorFacts:
    """What the doctor service says of one start with one doctor; the defaults say that nothing is in the way.

    Without a zone nothing is known of the doctor's calendar.
    `missing_minutes` and `last_day` are the hours' own notice and horizon where those are broken: the minutes by which
    the start would have to be later, and the last day that can be booked in the doctor's zone. A `max_daily` of 0 is
    no limit.
    """

    zone: tzinfo | None
    is_verified: bool = True
    has_specialty: bool = True
    works_then: bool = True
    missing_minutes: int = 0
    last_day: date | None = None
    max_daily: int = 0


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What the ledger says of one time.

    `full_day` is set when the patient's day is full, with the next that has room, and `doctors_full_day` when the
    doctor's is, with the most visits that the doctor takes in a day.
    """

    doctors_full_day: date | None = None
    max_daily: int = 0
    slot_taken: bool = False
    patient_busy: bool = False
    full_day: date | None = None
    next_free_day: date | None = None


def failing_at(
    start: datetime,
    now: datetime,
    rules: Rules,
    doctor: DoctorFacts | None = None,
    *,
    ledger: LedgerFacts | None = None,
    specialty: str = "",
) -> Iterator[Refusal]:
    """Every rule that a visit at exactly that start breaks, in the order in which booking asks.

    What is None is not known.
    """
    if start - now < rules.min_advance:
        yield _too_soon(start, now, rules, doctor)
    if doctor is not None:
        if not doctor.is_verified:
            yield DoctorUnverified()
        if not doctor.has_specialty:
            yield SpecialtyNotAvailable(specialty)
        yield from _outside_of_calendar(start, now, rules, doctor)
    if ledger is not None:
        yield from failing_in_ledger(ledger, rules)


def failing_in_window(
    closes: datetime, day: date, now: datetime, zone: tzinfo, rules: Rules, *, ledger: LedgerFacts | None = None
) -> Iterator[Refusal]:
    """Likewise, of a window on a day of the patient's calendar whose last instant is `closes`, with any doctor."""
    if closes - now < rules.min_advance:
        yield TooSoon.of(closes, now, rules.min_advance)
    # The doctor's today may be a day ahead of the patient's, so the wish gets that day's grace.
    last_day = rules.last_day(now, zone) + timedelta(days=1)
    if day > last_day:
        yield _too_far(day, last_day, now, zone)
    if ledger is not None:
        yield from failing_in_ledger(ledger, rules)


def failing_in_ledger(ledger: LedgerFacts, rules: Rules) -> Iterator[Refusal]:
    """Every rule of the ledger's that is broken."""
    if ledger.doctors_full_day is not None:
        yield DoctorDayFull.of(ledger.doctors_full_day, ledger.max_daily)
    if ledger.slot_taken:
        yield SlotTaken.of()
    if ledger.patient_busy:
        yield PatientBusy.of()
    if ledger.full_day is not None and ledger.next_free_day is not None:
        yield DailyLimitReached.on(ledger.full_day, rules.daily_limit, ledger.next_free_day)


def failing_to_move(current: Appointment, now: datetime, notice: timedelta) -> Iterator[Refusal]:
    """Every rule that moving an appointment away from its time breaks. A hold owes no notice: nobody counts on it."""
    if current.status not in MOVABLE:
        yield WrongState.of(current.status, "moved")
    if current.status is not AppointmentStatus.HELD and current.start - now < notice:
        yield TooLateToReschedule.of(current.start, notice)


def failing_to_cancel(current: Appointment, now: datetime, notice: timedelta) -> Iterator[Refusal]:
    """Every rule that calling an appointment off breaks; likewise."""
    if AppointmentStatus.CANCELLED not in TRANSITIONS.get(current.status, ()):
        yield WrongState.of(current.status, AppointmentStatus.CANCELLED)
    if current.status is not AppointmentStatus.HELD and current.start - now < notice:
        yield TooLateToCancel.of(current.start, now, notice)


def told_in_full(
    refusal: Refusal, failing: Sequence[Refusal], alternatives: tuple[AlternativeSlot, ...] = ()
) -> Refusal:
    """The refusal, with its figures where they are known by now, the other failing rules, and what would work."""
    primary = next((rule for rule in failing if rule.reason == refusal.reason), refusal)
    others = (rule for rule in failing if rule.reason != refusal.reason)
    primary.besides = tuple(sorted(others, key=lambda rule: PRECEDENCE.index(rule.reason)))
    primary.alternatives = alternatives
    primary.metadata |= _nearest(alternatives)
    return primary


def _nearest(alternatives: Sequence[AlternativeSlot]) -> Mapping[str, str]:
    return {"free_start_time": alternatives[0].slot.start.isoformat()} if alternatives else {}


def _too_soon(start: datetime, now: datetime, rules: Rules, doctor: DoctorFacts | None) -> Refusal:
    """The hours may want more notice than the clinic: the figure must be enough for both."""
    hours_want = start - now + (doctor.missing_minutes if doctor else 0) * _A_MINUTE
    return TooSoon.of(start, now, max(rules.min_advance, hours_want))


def _outside_of_calendar(start: datetime, now: datetime, rules: Rules, doctor: DoctorFacts) -> Iterator[Refusal]:
    """Past the horizon; outside of the hours, or in hours that are stricter than the clinic where the clinic is met."""
    if doctor.zone is None:
        return
    day, last_day = day_of(start, doctor.zone), rules.last_day(now, doctor.zone)
    if day > last_day:
        yield _too_far(day, min(last_day, doctor.last_day or last_day), now, doctor.zone)
    if not doctor.works_then:
        yield OutsideWorkingHours.of()
    elif start - now >= rules.min_advance and doctor.missing_minutes:
        yield OutsideWorkingHours.need_notice(doctor.missing_minutes)
    elif doctor.last_day is not None and day <= last_day:
        yield OutsideWorkingHours.open_until(doctor.last_day)


def _too_far(day: date, last_day: date, now: datetime, zone: tzinfo) -> TooFarAhead:
    return TooFarAhead.of(last_day, opens_on=day_of(now, zone) + (day - last_day))
