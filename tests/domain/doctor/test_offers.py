"""What a doctor offers in a window, at an exact start, and nearest to a window."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GENERAL, GROUP, WEDNESDAY, agenda, at, busy, minutes, rule

from doctor_svc.domain.offers import nearest_free, offer_at, offer_in
from doctor_svc.domain.slots import Visit
from doctor_svc.domain.window import Window

THURSDAY = WEDNESDAY + timedelta(days=1)
MORNING = Window(at("09:00"), at("12:00"))
VISIT = Visit(GENERAL)


def clocks(slots):
    return [slot.start.strftime("%d %H:%M") for slot in slots]


def test_the_free_share_is_counted_inside_the_window():
    offer = offer_in(agenda(rule("09:00-11:30", "14:00-17:00"), taken=[busy("09:40", "10:20")]), VISIT, MORNING)
    assert (offer.free, offer.total) == (3, 4)


def test_a_slot_at_the_very_end_of_the_window_is_inside():
    offer = offer_in(agenda(), VISIT, Window(at("10:20"), at("11:00")))
    assert (offer.free, offer.total, clocks(offer.soonest())) == (2, 2, ["17 10:20", "17 11:00"])


def test_slots_too_soon_to_book_count_in_the_total_alone():
    offer = offer_in(agenda(now=at("08:00")), VISIT, MORNING)
    assert (offer.free, offer.total) == (2, 4)


def test_visits_of_the_windows_days_are_counted_whatever_their_kind_or_hour():
    taken = [
        busy("00:00", "00:30", FOLLOW_UP),
        busy("23:50", "23:59", GROUP),
        busy("23:59", "23:59:59", day=WEDNESDAY - timedelta(days=1)),
        busy("00:00", "00:30", day=THURSDAY),
    ]
    assert offer_in(agenda(taken=taken), VISIT, MORNING).booked_that_day == 2
    assert offer_at(agenda(taken=taken), VISIT, at("09:00")).booked_that_day == 2


def test_the_best_come_by_priority_and_the_soonest_by_time():
    offer = offer_in(agenda(rule("09:00-10:40", "14:00-15:40")), VISIT, Window(at("09:01"), at("15:00")))
    assert clocks(offer.best()) == ["17 14:00", "17 09:40", "17 14:40"]
    assert clocks(offer.soonest()) == ["17 09:40", "17 14:00", "17 14:40"]
    assert clocks(offer.best(1)) == ["17 14:00"]
    assert clocks(offer.soonest(2)) == ["17 09:40", "17 14:00"]


def test_a_window_of_one_zone_reaches_two_days_of_a_doctor_far_away():
    tokyo = ZoneInfo("Asia/Tokyo")  # nine hours ahead: 24:00 of Wednesday is 15:00 UTC
    doctor = agenda(rule("23:00-24:00", on=3, duration=60), rule("00:00-01:00", on=4, duration=60), zone=tokyo)
    offer = offer_in(doctor, VISIT, Window(at("14:00"), at("15:00")))
    assert clocks(offer.soonest()) == ["17 14:00", "17 15:00"]


def test_a_window_before_today_or_past_the_horizon_holds_nothing():
    every_day = [rule(on=number, rule_id=str(number)) for number in range(7)]
    doctor = agenda(*every_day)
    for days in (-60, 120):
        shifted = Window(MORNING.earliest + timedelta(days=days), MORNING.latest + timedelta(days=days))
        offer = offer_in(doctor, VISIT, shifted)
        assert (offer.free, offer.total, offer.best()) == (0, 0, [])


@pytest.mark.parametrize(
    ("clock", "taken", "free", "total"),
    [
        ("09:07", [], 1, 1),
        ("09:07", [busy("09:47", "10:00")], 1, 1),
        ("09:07", [busy("09:46", "10:00")], 0, 1),
        ("08:00", [], 0, 0),
    ],
)
def test_an_exact_start_is_one_slot_or_none(clock, taken, free, total):
    offer = offer_at(agenda(taken=taken), VISIT, at(clock))
    assert (offer.free, offer.total) == (free, total)
    assert (offer.exact is not None) == bool(total)
    assert len(offer.best()) == len(offer.soonest()) == free


def test_an_exact_start_inside_the_notice_is_not_free():
    offer = offer_at(agenda(now=at("08:30")), VISIT, at("09:00"))
    assert (offer.free, offer.total) == (0, 1)


def test_an_exact_start_at_the_midnight_after_the_last_day_is_not_free():
    every_day = [rule("00:00-24:00", on=number, rule_id=str(number)) for number in range(7)]
    doctor = agenda(*every_day, now=at("12:00", WEDNESDAY - timedelta(days=90)))
    assert offer_at(doctor, VISIT, at("23:30")).free == 1
    assert offer_at(doctor, VISIT, at("00:00", THURSDAY)).free == 0


def test_an_exact_start_shares_the_time_while_a_seat_is_left():
    doctor = agenda(rule("09:00-12:00", kind=GROUP, capacity=2), taken=[busy("09:00", "10:00", GROUP)])
    assert offer_at(doctor, Visit(GROUP), at("09:15")).free == 1
    assert offer_at(doctor, Visit(GROUP, minutes(60)), at("09:15")).free == 1


def test_the_nearest_times_outside_a_window_come_first():
    every_day = [rule("09:00-10:10", "14:00-15:10", on=number, rule_id=str(number)) for number in range(7)]
    doctor = agenda(*every_day)
    around = Window(at("09:41"), at("13:00"))
    # 1 minute, 41 minutes, 1 hour, 1 h 40 min, 19 h 1 min and 19 h 41 min before, 20 h after
    nearest = ["17 09:40", "17 09:00", "17 14:00", "17 14:40", "16 14:40", "16 14:00", "18 09:00"]
    assert clocks(nearest_free(doctor, VISIT, around, limit=7)) == nearest
    assert clocks(nearest_free(doctor, VISIT, around, limit=2)) == ["17 09:40", "17 09:00"]


def test_the_search_outwards_reaches_as_far_as_told_and_repeats_nothing():
    doctor = agenda(rule("09:00-09:30", on=2), rule("09:00-09:30", on=5))
    exactly = Window(at("09:00"), at("09:00"))
    assert clocks(nearest_free(doctor, VISIT, exactly, limit=9)) == ["16 09:00", "19 09:00", "12 09:00", "23 09:00"]
    assert clocks(nearest_free(doctor, VISIT, exactly, limit=9, reach_days=1)) == ["16 09:00"]


def test_the_search_outwards_keeps_to_what_can_be_booked():
    every_day = [rule("09:00-09:30", on=number, rule_id=str(number)) for number in range(7)]
    doctor = agenda(*every_day, now=at("07:00"))
    exactly = Window(at("09:00"), at("09:00"))
    assert clocks(nearest_free(doctor, VISIT, exactly, limit=2)) == ["18 09:00", "19 09:00"]


def test_the_ends_of_the_calendar_are_near_nothing():
    edge = datetime.max.replace(tzinfo=UTC)
    assert nearest_free(agenda(), VISIT, Window(edge, edge), limit=3) == []
    assert offer_at(agenda(), VISIT, edge).total == 0
    assert offer_in(agenda(), VISIT, Window(edge, edge)).total == 0
