"""The priority of a slot, by hand calculation."""

import pytest
from doctor_builders import EMERGENCY, FOLLOW_UP, GENERAL, GROUP, WEDNESDAY, agenda, at, busy, rule

from doctor_svc.domain.slots import Visit, day_slots
from kernel.slots import SlotPriority

PREFERRED, AVAILABLE, LIMITED = SlotPriority.PREFERRED, SlotPriority.AVAILABLE, SlotPriority.LIMITED


def priorities(*rules, kind=GENERAL, **given):
    found = day_slots(agenda(*rules, **given), Visit(kind), WEDNESDAY)
    return {slot.start.strftime("%H:%M"): slot.priority for slot in found.free()}


def test_the_first_of_a_block_is_preferred_and_the_rest_available():
    assert priorities(rule("09:00-11:30", "14:00-15:30")) == {
        "09:00": PREFERRED,
        "09:40": AVAILABLE,
        "10:20": AVAILABLE,
        "11:00": AVAILABLE,
        "14:00": PREFERRED,
        "14:40": AVAILABLE,
    }


def test_both_neighbours_of_a_booked_visit_are_preferred():
    hours = rule("08:20-12:10")  # 08:20 09:00 09:40 10:20 11:00 11:40
    assert priorities(hours, taken=[busy("09:40", "10:20", FOLLOW_UP)]) == {
        "08:20": PREFERRED,
        "09:00": PREFERRED,
        "10:20": PREFERRED,
        "11:00": AVAILABLE,
        "11:40": AVAILABLE,
    }


def test_a_gap_of_a_minute_does_not_touch():
    hours = rule("08:20-12:10")
    found = priorities(hours, taken=[busy("09:41", "10:19")])
    assert (found["09:00"], found["10:20"]) == (AVAILABLE, AVAILABLE)


def test_a_visit_right_after_the_block_touches_its_last_slot():
    assert priorities(rule(), taken=[busy("11:40", "12:00")])["11:00"] is PREFERRED


def test_the_only_free_slot_left_in_a_block_is_limited():
    taken = [busy("09:00", "10:20"), busy("11:00", "11:40")]
    assert priorities(rule("09:00-11:30", "14:00-15:30"), taken=taken) == {
        "10:20": LIMITED,
        "14:00": PREFERRED,
        "14:40": AVAILABLE,
    }


def test_a_slot_too_soon_to_book_is_not_left():
    assert priorities(rule(), now=at("08:30")) == {"11:00": LIMITED}


@pytest.mark.parametrize(("until", "limited"), [("15:20", False), ("16:00", True)])
def test_a_day_booked_to_four_fifths_is_limited(until, limited):
    hours = rule("09:00-12:20", "14:00-17:20")  # five and five
    found = priorities(hours, taken=[busy("09:00", "12:20"), busy("14:00", until)])
    assert len(found) == (2 if limited else 3)
    assert {priority is LIMITED for priority in found.values()} == {limited}


def test_an_emergency_stays_an_emergency_however_full_the_day_is():
    hours = rule("09:00-10:00", kind=EMERGENCY)
    assert priorities(hours, kind=EMERGENCY, taken=[busy("09:00", "09:20")]) == {}
    assert priorities(hours, kind=EMERGENCY) == {"09:00": SlotPriority.EMERGENCY}


def test_they_rank_as_emergency_preferred_available_limited():
    assert SlotPriority.EMERGENCY < PREFERRED < AVAILABLE < LIMITED


def test_a_shared_visit_is_the_preferred_one_to_join():
    taken = [busy("10:10", "11:20", GROUP)]
    assert (
        priorities(rule("08:00-11:20", kind=GROUP, duration=60, buffer=5, capacity=2), kind=GROUP, taken=taken)["10:10"]
        is PREFERRED
    )
