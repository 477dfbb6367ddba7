"""What holds for every agenda: agreement with a minute-by-minute reading of the clock, and no overlap, ever."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from doctor_builders import FOLLOW_UP, GENERAL, GROUP, agenda, minutes
from hypothesis import given, settings
from hypothesis import strategies as st
from slot_oracle import look

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.slots import Visit, day_slots, exact_slot

DAYS = [
    ("UTC", date(2026, 6, 17)),
    ("Asia/Kathmandu", date(2026, 6, 17)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Nuuk", date(2026, 3, 28)),
    ("America/Nuuk", date(2026, 10, 24)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Pacific/Chatham", date(2026, 9, 27)),
]


def wall(minute):
    return None if minute == 24 * 60 else time(*divmod(minute, 60))


@st.composite
def rules(draw, day):
    marks = draw(st.lists(st.integers(0, 24 * 12), min_size=4, max_size=4, unique=True).map(sorted))
    # Half of the blocks lie in the small hours, where clocks move.
    early, late = [mark * 5 for mark in marks[:2]], [mark * 5 for mark in marks[2:]]
    if draw(st.booleans()):
        early, late = [mark // 6 for mark in early], [mark // 6 for mark in late]
    blocks = [WallBlock(wall(start), wall(end)) for start, end in (early, late) if start < end]
    return AvailabilityRule(
        rule_id="rule-1",
        doctor_id="doctor-1",
        day_of_week=None,
        specific_date=day,
        kind=GROUP,
        duration=minutes(draw(st.sampled_from([5, 17, 30, 60, 240]))),
        buffer=minutes(draw(st.sampled_from([0, 5, 10, 45]))),
        capacity=draw(st.integers(1, 3)),
        morning=blocks[0] if blocks else None,
        afternoon=blocks[1] if len(blocks) > 1 else None,
    )


@st.composite
def busy_times(draw, day):
    midnight = datetime.combine(day, time(), UTC) - timedelta(hours=14)
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, 52 * 12),
                st.integers(1, 40),
                st.sampled_from([GROUP, GROUP, FOLLOW_UP]),
                st.integers(0, 3),
            ),
            max_size=12,
        )
    )
    starts = ((midnight + minutes(start * 5), length, kind, seat) for start, length, kind, seat in drawn)
    return [Busy(start, start + minutes(length * 5), kind, seat) for start, length, kind, seat in starts]


@st.composite
def scenes(draw):
    zone_name, day = draw(st.sampled_from(DAYS))
    return zone_name, day, draw(rules(day)), draw(busy_times(day))


def seen_at(scene):
    zone_name, day, rule, taken = scene
    before = datetime.combine(day, time(), UTC) - timedelta(days=5)
    return agenda(rule, taken=taken, zone=ZoneInfo(zone_name), now=before)


@settings(max_examples=200)
@given(scenes())
def test_the_generator_agrees_with_a_clock_read_minute_by_minute(scene):
    zone_name, day, rule, taken = scene
    found = day_slots(seen_at(scene), Visit(GROUP), day)
    expected = look(rule, taken, day, zone_name)
    assert tuple(slot.start for slot in found.free()) == expected.free
    assert (found.total, found.booked) == (len(expected.every), len(expected.every) - len(expected.free))


@settings(max_examples=100)
@given(scenes())
def test_a_free_slot_is_one_that_the_ledger_would_take(scene):
    _, day, _, taken = scene
    for slot in day_slots(seen_at(scene), Visit(GROUP), day).free():
        met = [item for item in taken if item.start < slot.end + slot.buffer and slot.start < item.end]
        assert all(item.kind is GROUP for item in met)
        assert set(range(slot.capacity)) - {item.seat for item in met}


@settings(max_examples=100)
@given(scenes())
def test_free_slots_lie_inside_the_hours_apart_from_each_other_and_exactly_where_asked(scene):
    _, day, rule, _ = scene
    doctor = seen_at(scene)
    slots = list(day_slots(doctor, Visit(GROUP), day).free())
    assert all(slot.end - slot.start == rule.duration for slot in slots)
    assert all(one.end <= other.start for one, other in pairwise(slots))
    assert [exact_slot(doctor, Visit(GROUP), slot.start) for slot in slots] == slots


@settings(max_examples=50)
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_the_busy_times_does_not_matter(scene, random):
    zone_name, day, rule, taken = scene
    shuffled = random.sample(taken, len(taken))
    once = list(day_slots(seen_at(scene), Visit(GROUP), day).free())
    again = list(day_slots(seen_at((zone_name, day, rule, shuffled)), Visit(GROUP), day).free())
    assert once == again


@settings(max_examples=50)
@given(scenes())
def test_a_kind_without_hours_is_never_offered(scene):
    _, day, _, _ = scene
    assert day_slots(seen_at(scene), Visit(GENERAL), day).total == 0
