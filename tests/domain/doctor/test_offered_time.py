"""Offered time, by hand calculation and against a count of minutes."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GROUP, WEDNESDAY, agenda, at, busy, minutes, rule

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.offered_time import offered_on, seat_time
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.window import BookingPolicy
from tests.domain.doctor.minute_count import minutes_offered
from tests.domain.doctor.random_hours import ZONES, some_overrides, some_rules

MARCH = date(2026, 3, 1)


def offered(*rules: AvailabilityRule, **given: object) -> timedelta:
    (found,) = offered_on(agenda(*rules, **given), WEDNESDAY, WEDNESDAY)  # type: ignore[arg-type]
    return found


def test_slots_count_with_the_buffer_after_them():
    # 09:00, 09:40, 10:20 and 11:00, each of 40 minutes: the buffer of the last reaches past the end of the block.
    assert offered(rule("09:00-11:30")) == minutes(160)


def test_a_rest_too_short_for_a_visit_is_not_offered():
    assert offered(rule("09:00-09:29")) == minutes(0)
    assert offered(rule("09:00-10:00")) == minutes(40)


def test_kinds_that_share_time_offer_it_once_and_patients_who_share_it_each():
    group = rule("10:00-11:00", kind=GROUP, duration=60, buffer=0, capacity=10, rule_id="rule-2")
    follow_up = rule("09:00-11:30", kind=FOLLOW_UP, duration=20, buffer=10, rule_id="rule-3")
    assert offered(rule("09:00-11:30"), follow_up) == minutes(160)
    assert offered(rule("09:00-11:30"), follow_up, group) == minutes(100 + 60 * 10)


def test_visits_notice_horizon_and_maximum_take_nothing_away():
    assert offered(rule(), taken=[busy("09:00", "09:40")], now=at("10:00"), max_daily=1) == minutes(160)
    far = BookingPolicy(horizon_days=0)
    assert offered(rule(), policy=far, now=datetime(2026, 1, 1, tzinfo=UTC)) == minutes(160)


def test_the_most_seats_of_a_moment_count():
    stretches = [(at("09:00"), at("10:00"), 1), (at("09:30"), at("11:00"), 3), (at("12:00"), at("12:30"), 2)]
    assert seat_time(stretches) == minutes(30 + 3 * 90 + 2 * 30)
    assert seat_time([]) == minutes(0)


@pytest.mark.parametrize("seed", range(20))
def test_offered_time_is_what_a_count_of_minutes_finds(seed: int):
    chance = random.Random(seed)  # noqa: S311 - makes cases, guards nothing
    zone = chance.choice(ZONES)
    rules = tuple(some_rules(chance, "doctor-1", MARCH))
    overrides = tuple(some_overrides(chance, "doctor-1", MARCH))
    last = MARCH + timedelta(days=13)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    doctor = Agenda.at(now, ZoneInfo(zone), rules, (), BookingPolicy(), overrides=overrides)
    found = [length / timedelta(minutes=1) for length in offered_on(doctor, MARCH, last)]
    days = [MARCH + timedelta(days=ahead) for ahead in range(14)]
    assert found == [minutes_offered(rules, overrides, day, zone) for day in days]
    assert sum(found) > 0
