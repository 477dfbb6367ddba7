"""An explanation is right: over thousands of random clinics, who is not excluded can be booked, and nobody else.

The other side of the comparison is booking as the appointment service does it: the clinic's notice and horizon and
those of the hours themselves, the doctor's hours and days off read from a wall clock, and a ledger that tries one seat
after the other under the two exclusion constraints. It shares no code with the explanation.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GENERAL, GROUP, block, minutes, rule
from slot_oracle import stretches

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.demands import Demands, Rule
from doctor_svc.domain.exclusion import Exclusion, Search, exclusion_of, with_hours
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.overrides import Override, OverrideKind
from doctor_svc.domain.proposals import Aim, contender_of
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.slots import Visit
from doctor_svc.domain.window import BookingPolicy, Window
from kernel.appointment_types import AppointmentType, default_buffer, default_duration

CASES, CHUNKS = 12_000, 12
NOW = datetime(2026, 3, 4, 10, 20, tzinfo=UTC)
POLICY = BookingPolicy(horizon_days=6)
# The clocks of New York move on the 8th of March, within the six days that can be booked; Lord Howe's do not.
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
KINDS = (GENERAL, FOLLOW_UP, GROUP)


@dataclass
class Ledger:
    """The claims on a doctor's time, as the constraints of the appointment service's table keep them."""

    claims: list[Busy] = field(default_factory=list)

    def book(self, kind: AppointmentType, start: datetime, end: datetime, capacity: int) -> bool:
        met = [claim for claim in self.claims if claim.start < end and start < claim.end]
        if any(claim.kind is not kind for claim in met):
            return False
        for seat in range(capacity):
            if all(claim.seat != seat for claim in met):
                self.claims.append(Busy(start, end, kind, seat))
                return True
        return False


@dataclass
class Doctor:
    profile: DoctorProfile
    is_verified: bool
    is_active: bool
    rules: list[AvailabilityRule]
    ledger: Ledger
    closures: list[Override] = field(default_factory=list)

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            self.profile,
            self.is_verified,
            tuple(self.rules),
            tuple(self.ledger.claims),
            overrides=tuple(self.closures),
            is_active=self.is_active,
        )

    def rules_on(self, kind: AppointmentType, day: date) -> list[AvailabilityRule]:
        own = [one for one in self.rules if one.kind is kind] or [one for one in self.rules if one.kind is GENERAL]
        dated = [one for one in own if one.specific_date == day]
        return dated or [one for one in own if one.day_of_week == day.isoweekday() % 7]

    def booking_fails(self, visit: Visit, start: datetime) -> set[Rule]:
        """Books, and tells every rule in the way; an empty set is a visit booked."""
        zone = ZoneInfo(self.profile.timezone)
        day = start.astimezone(zone).date()
        fails = set()
        if start - NOW < timedelta(hours=2):
            fails.add(Rule.NOTICE)
        if day > NOW.astimezone(zone).date() + timedelta(days=POLICY.horizon_days):
            fails.add(Rule.HORIZON)
        length = visit.duration
        assert length is not None
        hours = self._hours_around(visit.kind, day, start, start + length)
        if hours is None:
            return fails | {Rule.OUTSIDE_HOURS}
        if hours.notice is not None and start - NOW < hours.notice:
            fails.add(Rule.NOTICE)
        if hours.horizon_days is not None and day > NOW.astimezone(zone).date() + timedelta(days=hours.horizon_days):
            fails.add(Rule.HORIZON)
        lent = hours.kind is not visit.kind
        buffer = default_buffer(visit.kind, POLICY.clinic_buffer) if lent else hours.buffer
        rehearsal = Ledger(list(self.ledger.claims))
        if not rehearsal.book(visit.kind, start, start + length + buffer, 1 if lent else hours.capacity):
            fails.add(Rule.BUSY)
        most = self.profile.max_daily_appointments
        if most and sum(claim.start.astimezone(zone).date() == day for claim in self.ledger.claims) >= most:
            fails.add(Rule.DOCTOR_DAY_FULL)
        return fails

    def _hours_around(
        self, kind: AppointmentType, day: date, start: datetime, end: datetime
    ) -> AvailabilityRule | None:
        if any(self._is_closed(closure, day, start, end) for closure in self.closures):
            return None
        for one in self.rules_on(kind, day):
            for opens, closes in stretches(one, day, self.profile.timezone):
                if opens <= start and end <= closes:
                    return one
        return None

    def _is_closed(self, closure: Override, day: date, start: datetime, end: datetime) -> bool:
        if not closure.first_day <= day <= closure.last_day:
            return False
        if closure.window is None:
            return True
        shown = replace(rule(on=day), morning=closure.window)
        return any(shut < end and start < opens for shut, opens in stretches(shown, day, self.profile.timezone))

    def lacks(self, demands: Demands) -> set[Rule]:
        """The rules other than time that the doctor fails, read from the profile one by one."""
        fails = set()
        if not self.is_verified:
            fails.add(Rule.UNVERIFIED)
        if not self.is_active:
            fails.add(Rule.INACTIVE)
        if demands.specialty and demands.specialty.lower() != self.profile.specialty.lower():
            fails.add(Rule.SPECIALTY)
        if demands.language and not {demands.language, f"{demands.language}-GB"} & set(self.profile.languages):
            fails.add(Rule.LANGUAGE)
        if demands.location and not {"US", demands.location} & set(self.profile.license_jurisdictions):
            fails.add(Rule.LICENCE)
        if (self.profile.rating if self.profile.rating_count else 4.0) < demands.min_rating:
            fails.add(Rule.RATING)
        return fails


def some_doctor(chance: random.Random) -> Doctor:
    ratings = chance.choice((0, 3))
    profile = DoctorProfile(
        doctor_id="doctor-1",
        first_name="Ada",
        last_name="Quist",
        specialty=chance.choice(("Cardiology", "Cardiology", "Dermatology")),
        sub_specialties=(),
        timezone=chance.choice(ZONES),
        rating=chance.choice((3.0, 4.5)) if ratings else 0.0,
        rating_count=ratings,
        years_experience=3,
        languages=chance.choice((("en",), ("en-GB",), ("de",))),
        license_jurisdictions=chance.choice((("US",), ("US-NY",), ("US-CA", "GB"))),
        max_daily_appointments=chance.choice((0, 1, 2, 3)),
    )
    often = [True] * 9 + [False]
    rules = list(some_rules(chance))
    closures = [some_closure(chance) for _ in range(chance.choice((0, 0, 1, 2)))]
    doctor = Doctor(profile, chance.choice(often), chance.choice(often), rules, Ledger(), closures)
    for _ in range(chance.randrange(12)):
        start = some_start(chance)
        kind = chance.choice(KINDS)
        doctor.ledger.book(kind, start, start + minutes(chance.choice((25, 40, 70))), 3 if kind is GROUP else 1)
    return doctor


def some_closure(chance: random.Random) -> Override:
    first = NOW.date() + timedelta(days=chance.randrange(7))
    window = chance.choice((None, block("02:15-03:00"), block("08:00-10:00"), block("14:00-24:00")))
    last = first + timedelta(days=chance.randrange(2))
    return Override("override-1", "doctor-1", OverrideKind.VACATION, first, last, window)


def some_rules(chance: random.Random) -> Iterator[AvailabilityRule]:
    for kind in chance.sample(KINDS, chance.randrange(1, 3)):
        notice, horizon = chance.choice((None, None, timedelta(hours=30))), chance.choice((None, None, 3))
        days: list[date | int] = [*chance.sample(range(7), 4), *chance.sample([date(2026, 3, 8), date(2026, 3, 6)], 1)]
        for day in days:
            yield rule(
                chance.choice(("01:00-03:30", "09:00-12:00", "02:30-11:00", "07:00-12:30")),
                chance.choice((None, "13:00-18:00", "20:00-24:00")),
                on=day,
                kind=kind,
                duration=chance.choice((20, 30)),
                buffer=chance.choice((0, 10)),
                capacity=2 if kind is GROUP else 1,
                notice=notice,
                horizon_days=horizon,
            )


def some_start(chance: random.Random) -> datetime:
    return datetime.combine(NOW.date(), time(), UTC) + minutes(5 * chance.randrange(0, 9 * 24 * 12))


def some_demands(chance: random.Random) -> Demands:
    return Demands(
        specialty=chance.choice(("", "cardiology")),
        language=chance.choice(("", "", "en")),
        location=chance.choice(("", "", "US-NY")),
        min_rating=chance.choice((0.0, 0.0, 4.0)),
    )


def explained(doctor: Doctor, visit: Visit, demands: Demands, start: datetime) -> Exclusion | None:
    aim = Aim(Window(start, start), start=start)
    contender = contender_of(with_hours(doctor.schedule), visit, aim, now=NOW, policy=POLICY)
    return exclusion_of(doctor.schedule, contender, Search(visit, demands, aim), UTC)


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_who_is_not_excluded_can_be_booked_and_who_is_fails_exactly_the_rules_told(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - makes cases, guards nothing
    bookable = 0
    for _ in range(CASES // CHUNKS // 20):
        doctor = some_doctor(chance)
        for _ in range(20):
            kind, demands, start = chance.choice(KINDS), some_demands(chance), some_start(chance)
            visit = Visit(kind, chance.choice((default_duration(kind), minutes(25))))
            exclusion = explained(doctor, visit, demands, start)
            told = {reason.rule for reason in exclusion.reasons} if exclusion else set()
            fails = doctor.lacks(demands) | doctor.booking_fails(visit, start)
            assert told == fails, (doctor, visit, demands, start)
            bookable += exclusion is None
            if exclusion and exclusion.nearest:
                assert not doctor.booking_fails(visit, exclusion.nearest.start)
    assert bookable > 8, "random clinics in which next to nobody can be booked prove little"


@pytest.mark.parametrize("seed", range(4))
def test_in_a_window_nobody_is_excluded_for_time_alone_while_a_slot_there_can_be_booked(seed: int) -> None:
    chance = random.Random(seed + 100)  # noqa: S311 - makes cases, guards nothing
    for _ in range(250):
        doctor, kind, start = some_doctor(chance), chance.choice(KINDS), some_start(chance)
        visit = Visit(kind, default_duration(kind))
        aim = Aim(Window(start, start + minutes(chance.choice((0, 90, 600)))))
        contender = contender_of(with_hours(doctor.schedule), visit, aim, now=NOW, policy=POLICY)
        exclusion = exclusion_of(doctor.schedule, contender, Search(visit, Demands(), aim), UTC)
        slots = contender.candidate.offer.soonest()
        assert all(not doctor.booking_fails(visit, slot.start) for slot in slots)
        told = {reason.rule for reason in exclusion.reasons} if exclusion else set()
        assert bool(told - doctor.lacks(Demands())) == (not slots)
        if exclusion and exclusion.nearest:
            assert not doctor.booking_fails(visit, exclusion.nearest.start)
