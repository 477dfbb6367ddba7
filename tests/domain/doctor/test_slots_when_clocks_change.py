"""Slots on the days when clocks move, calculated by hand; expected times are UTC."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import GENERAL, agenda, rule

from doctor_svc.domain.slots import Visit, day_slots

NEW_YORK, LORD_HOWE, NUUK = "America/New_York", "Australia/Lord_Howe", "America/Nuuk"
SPRING, AUTUMN, HALF_AN_HOUR_BACK = date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5)


def starts(zone, day, morning, afternoon=None, *, buffer=10):
    hours = rule(morning, afternoon, on=day, buffer=buffer)
    a_week_before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=7)
    found = day_slots(agenda(hours, zone=ZoneInfo(zone), now=a_week_before), Visit(GENERAL), day)
    return [slot.start.strftime("%d %H:%M") for slot in found.free()]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "expected"),
    [
        # 02:00 EST becomes 03:00 EDT at 07:00 UTC: 01:00 to 03:30 is 06:00 to 07:30 UTC, one hour and a half.
        (NEW_YORK, SPRING, "01:00-03:30", ["08 06:00", "08 06:40"]),
        (NEW_YORK, SPRING, "09:00-12:00", ["08 13:00", "08 13:40", "08 14:20", "08 15:00"]),
        # A skipped 02:15 is 03:15 EDT, 07:15 UTC; 04:00 EDT is 08:00 UTC.
        (NEW_YORK, SPRING, "02:15-04:00", ["08 07:15"]),
        # A skipped 02:30 as an end is 03:30 EDT, 07:30 UTC.
        (NEW_YORK, SPRING, "01:30-02:30", ["08 06:30"]),
        # Both ends inside the gap: 03:05 to 03:50 EDT.
        (NEW_YORK, SPRING, "02:05-02:50", ["08 07:05"]),
        # 02:00 EDT becomes 01:00 EST at 06:00 UTC: 01:00 to 03:30 is 05:00 to 08:30 UTC, three hours and a half.
        (NEW_YORK, AUTUMN, "01:00-03:30", ["01 05:00", "01 05:40", "01 06:20", "01 07:00", "01 07:40"]),
        (NEW_YORK, AUTUMN, "09:00-12:00", ["01 14:00", "01 14:40", "01 15:20", "01 16:00"]),
        # A repeated 01:30 is the first, 05:30 UTC, as an end and as a start.
        (NEW_YORK, AUTUMN, "00:30-01:30", ["01 04:30"]),
        (NEW_YORK, AUTUMN, "01:30-02:00", ["01 05:30", "01 06:10"]),
        # The day before and the day after know nothing of it.
        (NEW_YORK, date(2026, 3, 7), "01:00-03:30", ["07 06:00", "07 06:40", "07 07:20", "07 08:00"]),
        (NEW_YORK, date(2026, 3, 9), "01:00-03:30", ["09 05:00", "09 05:40", "09 06:20", "09 07:00"]),
        # 02:00 at +11 becomes 01:30 at +10:30 at 15:00 UTC: 01:00 to 03:00 is 14:00 to 16:30 UTC, two hours and a half.
        (LORD_HOWE, HALF_AN_HOUR_BACK, "01:00-03:00", ["04 14:00", "04 14:40", "04 15:20", "04 16:00"]),
        (LORD_HOWE, HALF_AN_HOUR_BACK, "09:00-11:30", ["04 22:30", "04 23:10", "04 23:50", "05 00:30"]),
        # The repeated 01:45 is the first, 14:45 UTC; 02:30 is 16:00 UTC.
        (LORD_HOWE, HALF_AN_HOUR_BACK, "01:45-02:30", ["04 14:45", "04 15:25"]),
        # 02:00 at +10:30 becomes 02:30 at +11 on 2026-10-04 at 15:30 UTC of the day before.
        (LORD_HOWE, date(2026, 10, 4), "01:30-03:00", ["03 15:00"]),
        (LORD_HOWE, date(2026, 10, 4), "02:10-03:10", ["03 15:40"]),
    ],
)
def test_ends_become_instants_first_and_visits_march_in_real_minutes(zone, day, hours, expected):
    assert starts(zone, day, hours) == expected


def test_a_block_whose_end_moves_into_the_next_leaves_it_the_rest():
    # 01:00 to 02:30 is 06:00 to 07:30 UTC and 03:00 to 04:30 is 07:00 to 08:30: the second starts at 07:30.
    assert starts(NEW_YORK, SPRING, "01:00-02:30", "03:00-04:30") == ["08 06:00", "08 06:40", "08 07:30"]


def test_a_block_moved_behind_the_start_of_the_next_has_what_that_one_leaves():
    # 02:10 to 02:50 moves to 07:10 to 07:50 UTC; 03:00 to 03:30 is 07:00 to 07:30 and has its half hour.
    assert starts(NEW_YORK, SPRING, "02:10-02:50", "03:00-03:30") == ["08 07:00"]


def test_a_block_never_leaves_its_day():
    # In Nuuk 23:00 of the 28th becomes 00:00 of the 29th at 01:00 UTC: 22:00 to 23:40 has its last hour alone.
    assert starts(NUUK, date(2026, 3, 28), "22:00-23:40", buffer=0) == ["29 00:00", "29 00:30"]
    assert starts(NUUK, date(2026, 3, 28), "22:00-24:00", buffer=0) == ["29 00:00", "29 00:30"]
    assert starts(NUUK, date(2026, 3, 28), "23:10-23:50", buffer=0) == []
