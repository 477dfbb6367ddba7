"""The slot at an exact start: inside the hours or none, whatever the grid, the notice and the busy times say."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import GENERAL, LONG_BEFORE, WEDNESDAY, agenda, at, busy, minutes, rule

from doctor_svc.domain.slots import Visit, day_slots, exact_slot
from kernel.slots import SlotPriority

PREFERRED, AVAILABLE, LIMITED = SlotPriority.PREFERRED, SlotPriority.AVAILABLE, SlotPriority.LIMITED


def exact(clock, *rules, duration=None, kind=GENERAL, **given):
    return exact_slot(agenda(*rules, **given), Visit(kind, duration), at(clock))


@pytest.mark.parametrize("clock", ["09:00", "09:07", "11:00"])
def test_a_visit_wholly_inside_a_block_is_found_on_and_off_the_grid(clock):
    slot = exact(clock)
    assert slot is not None
    assert (slot.start, slot.end, slot.buffer, slot.capacity) == (
        at(clock),
        at(clock) + minutes(30),
        minutes(10),
        1,
    )


@pytest.mark.parametrize("clock", ["08:59", "11:01", "12:00", "00:00"])
def test_a_visit_that_leaves_the_block_is_not(clock):
    assert exact(clock) is None


def test_a_length_that_is_asked_for_must_fit():
    assert exact("10:30", duration=minutes(60)) is not None
    assert exact("10:31", duration=minutes(60)) is None


def test_a_visit_across_two_blocks_is_not_inside_one():
    assert exact("11:45", rule("09:00-12:00", "12:00-15:00")) is None


def test_busy_times_notice_and_horizon_are_left_to_the_ledger():
    assert exact("09:00", taken=[busy("09:00", "09:40")]) is not None
    assert exact("09:00", now=at("08:59")) is not None
    assert exact("09:00", now=LONG_BEFORE - timedelta(days=300)) is not None


def test_the_priority_is_that_of_the_same_slot_in_the_day():
    given = {"taken": [busy("09:40", "10:20")], "now": at("06:00")}
    for slot in day_slots(agenda(rule("09:00-12:10"), **given), Visit(GENERAL), WEDNESDAY).free():
        assert exact(slot.start.strftime("%H:%M"), rule("09:00-12:10"), **given) == slot


@pytest.mark.parametrize(
    ("clock", "priority"), [("09:05", AVAILABLE), ("09:50", PREFERRED), ("10:40", PREFERRED), ("10:41", AVAILABLE)]
)
def test_off_the_grid_a_visit_that_touches_a_booked_one_is_preferred(clock, priority):
    slot = exact(clock, rule("09:00-12:10"), taken=[busy("10:30", "10:40")])
    assert slot is not None
    assert slot.priority is priority


def test_the_last_free_slot_is_limited_here_too():
    slot = exact("11:00", taken=[busy("09:00", "11:00")])
    assert slot is not None
    assert slot.priority is LIMITED


def test_off_the_grid_nothing_is_the_last_free_slot():
    slot = exact("10:25", taken=[busy("09:00", "10:20"), busy("11:06", "11:40")])  # 10:20 alone is left
    assert slot is not None
    assert slot.priority is AVAILABLE


def test_any_zone_may_say_the_start_and_the_answer_is_in_utc():
    start = at("09:40").astimezone(ZoneInfo("Asia/Tokyo"))
    slot = exact_slot(agenda(), Visit(GENERAL), start)
    assert slot is not None
    assert (slot.start, slot.start.tzinfo) == (at("09:40"), UTC)


def test_the_ends_of_the_calendar_are_outside_every_block():
    seen = agenda(*(rule("00:00-24:00", on=number, rule_id=str(number)) for number in range(7)))
    for start in (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)):
        assert exact_slot(seen, Visit(GENERAL), start) is None
