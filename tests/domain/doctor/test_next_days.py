"""The summary of a doctor's next days is what the lists of slots and the count of minutes say."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import WEDNESDAY, agenda, at, busy, minutes, rule

from doctor_svc.domain.busy import Busy
from doctor_svc.domain.diary import slots_of_day
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.summary import DAYS_AHEAD, next_days
from doctor_svc.domain.window import BookingPolicy
from tests.domain.doctor.minute_count import minutes_offered
from tests.domain.doctor.random_hours import KINDS, ZONES, some_overrides, some_rules

MARCH = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_a_day_by_hand():
    taken = [busy("09:00", "09:40"), busy("10:20", "11:00")]
    today, tomorrow, *_ = next_days(agenda(rule("09:00-11:30", on=WEDNESDAY), taken=taken, now=at("07:40")))
    # Two hours of notice leave of 09:40 and 11:00 both.
    assert (today.offered, today.booked, today.free_slots, today.first_free) == (
        minutes(160),
        minutes(80),
        2,
        at("09:40"),
    )
    assert (tomorrow.offered, tomorrow.booked, tomorrow.free_slots, tomorrow.first_free) == (
        minutes(0),
        minutes(0),
        0,
        None,
    )


@pytest.mark.parametrize("seed", range(12))
def test_every_day_is_what_the_lists_of_slots_say(seed: int):
    chance = random.Random(seed)  # noqa: S311 - makes cases, guards nothing
    zone = chance.choice(ZONES)
    rules, overrides = tuple(some_rules(chance, "d", MARCH)), tuple(some_overrides(chance, "d", MARCH))
    starts = [NOW + timedelta(minutes=5 * chance.randrange(16 * 288)) for _ in range(40)]
    taken = [Busy(start, start + minutes(chance.choice((25, 40))), chance.choice(KINDS), 0) for start in starts]
    doctor = Agenda.at(
        NOW,
        ZoneInfo(zone),
        rules,
        taken,
        BookingPolicy(horizon_days=10),
        overrides=overrides,
        max_daily=chance.choice((0, 3)),
    )
    found = list(next_days(doctor))
    assert [day.day for day in found] == [doctor.today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)]
    for day in found:
        slots = slots_of_day(doctor, day.day, None, None)
        assert (day.free_slots, day.first_free) == (len(slots), slots[0].start if slots else None)
        assert day.offered == minutes(minutes_offered(rules, overrides, day.day, zone))
        of_day = [one for one in taken if one.start.astimezone(ZoneInfo(zone)).date() == day.day]
        assert day.booked == sum((one.end - one.start for one in of_day), timedelta())
