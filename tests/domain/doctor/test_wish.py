"""A wish in the patient's wall time becomes a window of instants."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import WEDNESDAY, agenda, at

from doctor_svc.domain.window import BookingPolicy, Window
from doctor_svc.domain.wish import windows_without_date, wished_window
from kernel.errors import InvalidArgument

NEW_YORK = ZoneInfo("America/New_York")


def test_times_are_meant_in_the_patients_zone():
    window = wished_window(WEDNESDAY, time(9), time(12), NEW_YORK)
    assert window == Window(at("13:00"), at("16:00"))


def test_the_latest_start_is_inside():
    window = wished_window(WEDNESDAY, time(9), time(12), ZoneInfo("UTC"))
    assert window is not None
    assert at("12:00") in window
    assert at("12:00") + datetime.resolution not in window
    assert at("09:00") - datetime.resolution not in window


def test_without_times_the_window_is_the_whole_day_and_no_more():
    window = wished_window(WEDNESDAY, None, None, NEW_YORK)
    assert window == Window(at("04:00"), at("04:00", date(2026, 6, 18)) - datetime.resolution)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (time(18), None, Window(at("18:00"), at("23:59:59.999999"))),
        (None, time(8), Window(at("00:00"), at("08:00"))),
        (time(9), time(9), Window(at("09:00"), at("09:00"))),
    ],
)
def test_one_time_alone_bounds_one_side(start, end, expected):
    assert wished_window(WEDNESDAY, start, end, ZoneInfo("UTC")) == expected


def test_the_day_that_clocks_skip_an_hour_is_an_hour_shorter():
    window = wished_window(date(2026, 3, 8), None, None, NEW_YORK)
    assert window is not None
    assert window.latest - window.earliest == timedelta(hours=23) - datetime.resolution


def test_a_start_that_is_skipped_takes_the_end_along():
    window = wished_window(date(2026, 3, 8), time(2, 30), time(3), NEW_YORK)
    half_past_three = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert window == Window(half_past_three, half_past_three)


def test_without_a_date_there_is_no_window():
    assert wished_window(None, None, None, NEW_YORK) is None


@pytest.mark.parametrize(
    ("day", "start", "end", "field"),
    [
        (WEDNESDAY, time(12), time(9), "preferred_time_end"),
        (None, time(9), None, "preferred_time_start"),
        (None, None, time(9), "preferred_time_end"),
        (date.max, None, None, "preferred_date"),
        (date.min, None, None, "preferred_date"),
    ],
)
def test_a_wish_that_makes_no_sense_names_its_field(day, start, end, field):
    with pytest.raises(InvalidArgument) as refused:
        wished_window(day, start, end, NEW_YORK)
    assert [violation.field for violation in refused.value.violations] == [field]


def test_without_a_date_a_week_is_searched_first_and_then_the_whole_horizon():
    policy, now = BookingPolicy(), at("07:00")
    week, all_of_it = windows_without_date(now, policy)
    assert week == Window(at("09:00"), at("09:00") + timedelta(days=7))
    assert all_of_it.earliest == at("09:00")
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert all_of_it.latest >= agenda(zone=ZoneInfo(name), now=now).bookable.latest
