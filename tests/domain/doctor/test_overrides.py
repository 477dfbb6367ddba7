"""Overrides in the one generator: what they take away, what they add, and who wins."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GENERAL, GROUP, WEDNESDAY, agenda, at, block, busy, minutes, rule

from doctor_svc.domain.overrides import ExtraHours, Override, OverrideKind, closed_time
from doctor_svc.domain.slots import Visit, day_slots, exact_slot
from doctor_svc.domain.window import BookingPolicy

A_DAY = timedelta(days=1)


def closure(window: str | None = None, first: date = WEDNESDAY, last: date | None = None) -> Override:
    return Override(
        "override-1",
        "doctor-1",
        OverrideKind.MANUAL_BLOCK,
        first,
        last or first,
        block(window) if window else None,
    )


def extra(window: str, *, kind=GENERAL, wins: bool = False, capacity: int = 1, first: date = WEDNESDAY) -> Override:
    hours = ExtraHours(kind, minutes(30), minutes(10), capacity, overrides_blocks=wins)
    return Override("override-2", "doctor-1", OverrideKind.EXTRA_HOURS, first, first, block(window), hours)


def starts(*overrides, kind=GENERAL, day=WEDNESDAY, rules=(), **doctor):
    seen = agenda(*rules, overrides=overrides, **doctor)
    return [f"{slot.start:%H:%M}" for slot in day_slots(seen, Visit(kind), day).free()]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), ["09:00", "09:40", "10:20", "11:00"]),
        ((closure(),), []),
        ((closure(first=WEDNESDAY - A_DAY, last=WEDNESDAY + A_DAY),), []),
        ((closure(first=WEDNESDAY + A_DAY),), ["09:00", "09:40", "10:20", "11:00"]),
        # What is left on either side is a block of its own, cut from its own start.
        ((closure("10:00-10:30"),), ["09:00", "10:30"]),
        ((closure("09:30-10:00"), closure("10:00-10:15")), ["09:00", "10:15", "10:55"]),
        ((closure("08:00-09:00"), closure("11:30-24:00")), ["09:00", "09:40", "10:20", "11:00"]),
        ((extra("14:00-15:00"),), ["09:00", "09:40", "10:20", "11:00", "14:00"]),
        # Hours that are there already are not cut twice.
        ((extra("10:00-12:10"),), ["09:00", "09:40", "10:20", "11:00", "11:30"]),
        ((closure(), extra("14:00-15:00")), []),
        ((closure(), extra("14:00-15:00", wins=True)), ["14:00"]),
        ((closure("10:00-11:00"), extra("10:00-11:00", wins=True)), ["09:00", "10:00", "11:00"]),
        ((extra("14:00-15:00", kind=FOLLOW_UP),), ["09:00", "09:40", "10:20", "11:00"]),
    ],
)
def test_blocks_less_what_is_taken_away_plus_what_is_added(overrides, expected):
    assert starts(*overrides) == expected


def test_the_order_of_overrides_does_not_matter():
    overrides = (closure("10:00-10:30"), closure("09:00-09:10"), extra("14:00-15:00"), extra("15:00-16:00", wins=True))
    assert starts(*overrides) == starts(*reversed(overrides))


def test_extra_hours_of_a_kind_add_to_its_own_hours_and_to_borrowed_ones():
    only_follow_ups = extra("14:00-15:00", kind=FOLLOW_UP)
    assert starts(only_follow_ups, kind=FOLLOW_UP) == ["09:00", "09:30", "10:00", "10:30", "11:00", "14:00"]
    own = (rule(), rule("08:00-08:30", kind=FOLLOW_UP))
    assert starts(only_follow_ups, kind=FOLLOW_UP, rules=own) == ["08:00", "14:00"]


def test_a_kind_that_borrows_the_general_hours_borrows_their_extra_hours_one_patient_at_a_time():
    seen = agenda(overrides=(closure(), extra("14:00-15:10", wins=True, capacity=9)))
    (slot,) = day_slots(seen, Visit(GROUP), WEDNESDAY).free()
    assert (slot.start, slot.end, slot.capacity) == (at("14:00"), at("15:00"), 1)
    with_own = agenda(rule(), rule(kind=GROUP, duration=60), overrides=(extra("14:00-15:10", capacity=9),))
    assert [slot.start for slot in day_slots(with_own, Visit(GROUP), WEDNESDAY).free()] == [at("09:00"), at("10:10")]


def test_extra_hours_carry_their_capacity_and_respect_what_is_booked():
    seen = agenda(overrides=(extra("14:00-15:10", capacity=2),), taken=[busy("14:00", "14:40"), busy("14:40", "15:20")])
    free = [slot for slot in day_slots(seen, Visit(GENERAL), WEDNESDAY).free() if slot.start >= at("12:00")]
    assert [(slot.start, slot.capacity) for slot in free] == [(at("14:00"), 2), (at("14:40"), 2)]


def test_time_taken_away_counts_neither_as_free_nor_as_booked():
    day = day_slots(
        agenda(overrides=(closure("10:00-24:00"),), taken=[busy("10:30", "11:00")]), Visit(GENERAL), WEDNESDAY
    )
    assert (day.total, day.booked) == (1, 0)


def test_an_exact_time_must_lie_in_hours_that_no_override_takes_away():
    seen = agenda(overrides=(closure("10:00-10:30"), extra("14:00-15:00")))
    found = {
        clock: exact_slot(seen, Visit(GENERAL), at(clock)) is not None
        for clock in ("09:30", "09:31", "10:29", "10:30", "14:30", "14:31")
    }
    assert found == {"09:30": True, "09:31": False, "10:29": False, "10:30": True, "14:30": True, "14:31": False}


def test_a_window_is_meant_on_each_day_by_the_doctors_clock():
    closing = closure("12:00-13:00", date(2026, 3, 7), date(2026, 3, 9))
    assert closed_time(closing, ZoneInfo("America/New_York")) == [
        (datetime(2026, 3, 7, 17, tzinfo=UTC), datetime(2026, 3, 7, 18, tzinfo=UTC)),
        (datetime(2026, 3, 8, 16, tzinfo=UTC), datetime(2026, 3, 8, 17, tzinfo=UTC)),
        (datetime(2026, 3, 9, 16, tzinfo=UTC), datetime(2026, 3, 9, 17, tzinfo=UTC)),
    ]


def test_whole_days_are_one_stretch_and_follow_the_clock_change():
    closing = closure(None, date(2026, 3, 8), date(2026, 3, 8))
    ((start, end),) = closed_time(closing, ZoneInfo("America/New_York"))
    assert end - start == timedelta(hours=23)
    assert closed_time(extra("14:00-15:00"), UTC) == []


def test_a_closure_in_the_repeated_hour_ends_by_the_first_reading():
    """01:00 to 01:30 is closed once; the second time the clock shows it, the doctor works."""
    sunday = date(2026, 11, 1)
    night = rule("01:00-02:00", on=sunday, duration=30, buffer=0)
    found = starts(
        closure("01:00-01:30", sunday),
        rules=(night,),
        day=sunday,
        zone=ZoneInfo("America/New_York"),
        now=datetime(2026, 10, 1, tzinfo=UTC),
    )
    assert found == ["05:30", "06:00", "06:30"]


def test_a_rule_may_ask_for_more_notice_and_a_nearer_horizon_than_the_clinic_and_never_for_less():
    now = at("07:30")
    own = [rule(notice=minutes(150)), rule(notice=minutes(5)), rule(horizon_days=0), rule(horizon_days=999)]
    found = [starts(rules=(one,), now=now) for one in own]
    assert found == [["10:20", "11:00"]] + [["09:40", "10:20", "11:00"]] * 3
    next_week = WEDNESDAY + 7 * A_DAY
    assert starts(rules=(rule(horizon_days=6),), now=now, day=next_week) == []
    assert len(starts(rules=(rule(horizon_days=7),), now=now, day=next_week)) == 4
    far = WEDNESDAY + 98 * A_DAY
    assert starts(rules=(rule(horizon_days=365),), now=now, day=far, policy=BookingPolicy()) == []


def test_a_start_inside_the_rules_own_notice_is_outside_its_hours_and_the_clinics_notice_is_left_to_the_ledger():
    seen = agenda(rule(notice=minutes(150)), now=at("07:30"))
    offered = [
        exact_slot(seen, Visit(GENERAL), at(clock)) is not None for clock in ("09:00", "09:30", "09:59", "10:00")
    ]
    assert offered == [True, False, False, True]
    assert time(9, 30) == (at("07:30") + BookingPolicy().notice).time()
