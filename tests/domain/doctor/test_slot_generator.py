"""The slots of one day by hand calculation: the march, buffers, seats, notice and horizon."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GENERAL, GROUP, WEDNESDAY, agenda, at, busy, minutes, rule

from doctor_svc.domain.busy import Busy
from doctor_svc.domain.slots import Visit, day_slots, morning_and_afternoon
from doctor_svc.domain.window import BookingPolicy, Window


def free_times(*rules, day=WEDNESDAY, kind=GENERAL, duration=None, **given):
    found = day_slots(agenda(*rules, **given), Visit(kind, duration), day)
    return [slot.start.strftime("%H:%M") for slot in found.free()]


@pytest.mark.parametrize(
    ("hours", "duration", "buffer", "expected"),
    [
        ("09:00-11:30", 30, 10, ["09:00", "09:40", "10:20", "11:00"]),
        ("09:00-12:00", 30, 10, ["09:00", "09:40", "10:20", "11:00"]),
        ("09:00-11:29", 30, 10, ["09:00", "09:40", "10:20"]),
        ("09:00-10:30", 30, 0, ["09:00", "09:30", "10:00"]),
        ("09:00-09:30", 30, 120, ["09:00"]),
        ("09:00-09:29", 30, 10, []),
        ("23:00-24:00", 30, 0, ["23:00", "23:30"]),
    ],
)
def test_visits_march_by_length_and_buffer_and_end_inside_the_block(hours, duration, buffer, expected):
    assert free_times(rule(hours, duration=duration, buffer=buffer)) == expected


def test_both_blocks_of_all_rules_of_the_day_are_walked_in_order():
    late = rule("20:00-21:00", duration=60, rule_id="rule-2")
    early = rule("07:00-08:00", "15:00-16:00", duration=60, rule_id="rule-1")
    assert free_times(late, early) == ["07:00", "15:00", "20:00"]


def test_a_slot_says_what_the_ledger_must_know():
    (slot,) = day_slots(agenda(rule("09:00-09:30", buffer=15, capacity=3)), Visit(GENERAL), WEDNESDAY).free()
    assert (slot.start, slot.end) == (at("09:00"), at("09:30"))
    assert (slot.kind, slot.buffer, slot.capacity) == (GENERAL, minutes(15), 3)


def test_a_length_that_is_asked_for_replaces_that_of_the_rule():
    assert free_times(rule("09:00-11:30"), duration=minutes(60)) == ["09:00", "10:10"]


def test_a_borrowed_block_too_short_for_the_visit_has_no_slot():
    assert free_times(rule("09:00-09:30", "14:00-16:00"), kind=GROUP) == ["14:00"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("08:00", "09:00", ["09:00", "09:40", "10:20", "11:00"]),
        ("08:00", "09:01", ["09:40", "10:20", "11:00"]),
        ("09:40", "10:20", ["09:00", "10:20", "11:00"]),
        ("09:39", "10:20", ["10:20", "11:00"]),
        ("09:40", "10:21", ["09:00", "11:00"]),
        ("10:15", "10:20", ["09:00", "10:20", "11:00"]),
        ("09:50", "10:30", ["09:00", "11:00"]),
        ("11:39", "12:00", ["09:00", "09:40", "10:20"]),
        ("11:40", "12:00", ["09:00", "09:40", "10:20", "11:00"]),
        ("06:00", "18:00", []),
    ],
)
@pytest.mark.parametrize("kind", [GENERAL, FOLLOW_UP])
def test_a_busy_time_takes_the_visits_whose_time_or_buffer_it_overlaps(start, end, expected, kind):
    assert free_times(rule(), taken=[busy(start, end, kind)]) == expected


def test_a_visit_that_started_long_ago_still_takes_time():
    long_one = Busy(at("00:00", WEDNESDAY - timedelta(days=2)), at("10:00"), FOLLOW_UP, 0)
    short_ones = [busy("07:00", "07:30"), busy("08:00", "08:30")]
    assert free_times(rule(), taken=[*short_ones, long_one]) == ["10:20", "11:00"]


class TestSeats:
    group = rule("09:00-11:20", kind=GROUP, duration=60, capacity=2)  # 09:00 and 10:10

    def free(self, *taken):
        return free_times(self.group, kind=GROUP, taken=taken)

    def test_one_seat_taken_leaves_the_other(self):
        assert self.free(busy("09:00", "10:10", GROUP, seat=1)) == ["09:00", "10:10"]

    def test_all_seats_taken_is_taken(self):
        assert self.free(busy("09:00", "10:10", GROUP, 0), busy("09:00", "10:10", GROUP, 1)) == ["10:10"]

    def test_a_seat_must_be_free_throughout(self):
        assert self.free(busy("09:00", "09:10", GROUP, 0), busy("10:00", "10:10", GROUP, 1)) == ["10:10"]

    def test_another_kind_never_shares(self):
        assert self.free(busy("09:00", "09:10", GENERAL, 1)) == ["10:10"]

    def test_a_seat_beyond_a_capacity_since_lowered_takes_none(self):
        assert self.free(busy("09:00", "10:10", GROUP, 2)) == ["09:00", "10:10"]


class TestNoticeAndHorizon:
    def test_a_slot_exactly_at_the_end_of_the_notice_can_be_booked(self):
        assert free_times(rule(), now=at("07:00")) == ["09:00", "09:40", "10:20", "11:00"]

    def test_a_slot_a_moment_earlier_cannot(self):
        assert free_times(rule(), now=at("07:00") + datetime.resolution) == ["09:40", "10:20", "11:00"]

    def test_the_notice_is_the_clinics_to_choose(self):
        assert free_times(rule(), now=at("10:20"), policy=BookingPolicy(notice=timedelta())) == ["10:20", "11:00"]

    def test_the_last_day_of_the_horizon_is_whole_and_the_next_is_closed(self):
        hours = rule("23:00-24:00", on=WEDNESDAY, duration=60)
        assert free_times(hours, now=at("00:00", WEDNESDAY - timedelta(days=90))) == ["23:00"]
        assert free_times(hours, now=at("23:59", WEDNESDAY - timedelta(days=91))) == []

    def test_today_is_the_doctors(self):
        auckland = ZoneInfo("Pacific/Auckland")  # 2026-06-16 12:00 UTC is Wednesday's midnight there
        hours, policy = rule("09:00-10:00", on=WEDNESDAY, duration=60), BookingPolicy(horizon_days=0)
        before, after = datetime(2026, 6, 16, 11, 59, tzinfo=UTC), datetime(2026, 6, 16, 12, 0, tzinfo=UTC)
        assert free_times(hours, zone=auckland, now=before, policy=policy) == []
        assert free_times(hours, zone=auckland, now=after, policy=policy) == ["21:00"]

    def test_a_slot_too_soon_counts_among_all_but_not_as_booked(self):
        found = day_slots(agenda(rule(), now=at("08:30")), Visit(GENERAL), WEDNESDAY)
        assert (found.total, found.booked, len(list(found.free()))) == (4, 0, 1)

    def test_yesterday_and_the_ends_of_the_calendar_have_no_slots(self):
        seen = agenda(rule("00:00-24:00", on=date.max), rule("00:00-24:00", on=date.min), rule("00:00-24:00", on=0))
        for day in (date.min, date(2026, 5, 31), date.max):
            assert list(day_slots(seen, Visit(GENERAL), day).free()) == []


def test_counts_and_slots_of_a_window_include_both_its_ends():
    found = day_slots(agenda(rule(), taken=[busy("09:40", "10:20")]), Visit(GENERAL), WEDNESDAY)
    window = Window(at("09:40"), at("11:00"))
    assert (found.total_in(window), found.free_in(window)) == (3, 2)
    assert [slot.start for slot in found.free(window)] == [at("10:20"), at("11:00")]
    inner = Window(at("09:41"), at("10:59"))
    assert (found.total_in(inner), found.free_in(inner)) == (1, 1)
    assert (found.total_in(Window(at("12:00"), at("08:00"))), found.free_in(Window(at("12:00"), at("08:00")))) == (0, 0)


def test_noon_of_the_doctors_day_divides_morning_from_afternoon():
    oslo = ZoneInfo("Europe/Oslo")
    hours = rule("11:00-12:30", duration=30, buffer=0)  # 11:00, 11:30, 12:00 there; two hours less in UTC
    found = day_slots(agenda(hours, zone=oslo), Visit(GENERAL), WEDNESDAY)
    morning, afternoon = morning_and_afternoon(found.free(), WEDNESDAY, oslo)
    assert [slot.start for slot in morning] == [at("09:00"), at("09:30")]
    assert [slot.start for slot in afternoon] == [at("10:00")]


def test_a_busy_time_must_have_a_length():
    with pytest.raises(ValueError, match="end after it starts"):
        busy("09:00", "09:00")
