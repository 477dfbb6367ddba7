"""Which rules are accepted, which collide, and which apply on a day."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from doctor_builders import EMERGENCY, FOLLOW_UP, GENERAL, GROUP, WEDNESDAY, block, minutes, rule

from doctor_svc.domain.availability import WallBlock, applicable_rules, kinds_served, rules_overlap
from doctor_svc.domain.rule_checks import require_valid, wall_block
from kernel.errors import InvalidArgument

CLINIC_BUFFER = minutes(10)


def test_a_fair_rule_is_accepted():
    require_valid(rule("09:00-12:00", "12:00-24:00"))
    require_valid(rule(None, "14:00-14:30", on=WEDNESDAY, buffer=120, capacity=100))
    require_valid(rule("00:00-04:00", on=0, duration=240, buffer=0))
    require_valid(rule("09:00-09:05", on=6, duration=5))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"day_of_week": None}, "rule.day_of_week"),
        ({"specific_date": WEDNESDAY}, "rule.specific_date"),
        ({"day_of_week": 7}, "rule.day_of_week"),
        ({"day_of_week": -1}, "rule.day_of_week"),
        ({"duration": minutes(4)}, "rule.duration_minutes"),
        ({"duration": minutes(241), "morning": block("00:00-12:00")}, "rule.duration_minutes"),
        ({"buffer": minutes(-1)}, "rule.buffer_minutes"),
        ({"buffer": minutes(121)}, "rule.buffer_minutes"),
        ({"capacity": 0}, "rule.max_concurrent_appointments"),
        ({"capacity": 101}, "rule.max_concurrent_appointments"),
        ({"morning": None}, "rule.morning_start_time"),
        ({"morning": block("12:00-09:00")}, "rule.morning_end_time"),
        ({"morning": block("09:00-09:00")}, "rule.morning_end_time"),
        ({"morning": block("09:00-09:29")}, "rule.morning_end_time"),
        ({"afternoon": block("18:00-14:00")}, "rule.afternoon_end_time"),
        ({"afternoon": block("23:31-24:00")}, "rule.afternoon_end_time"),
        ({"afternoon": block("11:29-15:00")}, "rule.afternoon_start_time"),
    ],
)
def test_a_wrong_field_is_named(changes, field):
    with pytest.raises(InvalidArgument) as refused:
        require_valid(replace(rule("09:00-11:30"), **changes))
    assert [violation.field for violation in refused.value.violations] == [field]


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(InvalidArgument) as refused:
        require_valid(replace(rule(), buffer=minutes(-5), capacity=0))
    assert [violation.field for violation in refused.value.violations] == [
        "rule.buffer_minutes",
        "rule.max_concurrent_appointments",
    ]


def test_a_block_has_both_ends_or_neither():
    assert wall_block("morning", None, None) is None
    assert wall_block("morning", time(9), time(12)) == WallBlock(time(9), time(12))
    assert wall_block("afternoon", time(18), None, until_midnight=True) == WallBlock(time(18), None)


@pytest.mark.parametrize(
    ("part", "start", "end", "until_midnight", "field"),
    [
        ("morning", time(9), None, False, "rule.morning_end_time"),
        ("morning", None, time(12), False, "rule.morning_start_time"),
        ("afternoon", None, None, True, "rule.afternoon_start_time"),
    ],
)
def test_the_missing_end_of_a_block_is_named(part, start, end, until_midnight, field):
    with pytest.raises(InvalidArgument) as refused:
        wall_block(part, start, end, until_midnight=until_midnight)
    assert refused.value.violations[0].field == field


@pytest.mark.parametrize(
    ("other", "collides"),
    [
        (rule("11:29-13:00", rule_id="rule-2"), True),
        (rule("11:30-13:00", rule_id="rule-2"), False),
        (rule("06:00-07:00", "11:00-24:00", rule_id="rule-2"), True),
        (rule("10:00-11:00", kind=FOLLOW_UP, rule_id="rule-2"), False),
        (rule("10:00-11:00", on=4, rule_id="rule-2"), False),
        (rule("10:00-11:00", on=WEDNESDAY, rule_id="rule-2"), False),
        (rule("10:00-11:00", doctor_id="doctor-2", rule_id="rule-2"), False),
        (rule("10:00-11:00", rule_id="rule-1"), False),
    ],
)
def test_rules_of_one_kind_and_day_collide_when_they_share_a_moment(other, collides):
    assert rules_overlap(rule("09:00-11:30"), other) is collides
    assert rules_overlap(other, rule("09:00-11:30")) is collides


def test_two_rules_for_one_date_can_collide():
    assert rules_overlap(rule(on=WEDNESDAY), rule(on=WEDNESDAY, rule_id="rule-2"))


def test_day_zero_is_sunday():
    sunday = date(2026, 6, 14)
    for number in range(7):
        weekly = rule(on=number)
        days = [sunday + timedelta(days=ahead) for ahead in range(7)]
        assert [bool(applicable_rules([weekly], GENERAL, day, CLINIC_BUFFER)) for day in days].index(True) == number


def test_a_rule_for_a_date_replaces_the_weekly_rules_of_its_kind_on_that_date_alone():
    weekly, dated = rule(), rule("18:00-20:00", on=WEDNESDAY, rule_id="rule-2")
    follow_ups = rule("08:00-09:00", kind=FOLLOW_UP, rule_id="rule-3")
    rules = [weekly, dated, follow_ups]
    assert applicable_rules(rules, GENERAL, WEDNESDAY, CLINIC_BUFFER) == (dated,)
    assert applicable_rules(rules, GENERAL, WEDNESDAY + timedelta(days=7), CLINIC_BUFFER) == (weekly,)
    assert applicable_rules(rules, FOLLOW_UP, WEDNESDAY, CLINIC_BUFFER) == (follow_ups,)


def test_a_kind_without_rules_borrows_the_general_hours_with_its_own_length():
    general = rule("09:00-12:00", duration=25, buffer=0, capacity=4)
    (group,) = applicable_rules([general], GROUP, WEDNESDAY, minutes(7))
    (urgent,) = applicable_rules([general], EMERGENCY, WEDNESDAY, minutes(7))
    assert (group.kind, group.duration, group.buffer, group.capacity) == (GROUP, minutes(60), minutes(7), 1)
    assert (urgent.kind, urgent.duration, urgent.buffer, urgent.capacity) == (EMERGENCY, minutes(30), minutes(5), 1)
    assert group.blocks == general.blocks


def test_a_kind_with_a_rule_on_another_day_borrows_nothing():
    rules = [rule(), rule(on=5, kind=GROUP, rule_id="rule-2")]
    assert applicable_rules(rules, GROUP, WEDNESDAY, CLINIC_BUFFER) == ()


def test_the_general_consultation_borrows_from_nobody():
    assert applicable_rules([rule(kind=FOLLOW_UP)], GENERAL, WEDNESDAY, CLINIC_BUFFER) == ()


def test_kinds_served_are_told_in_the_order_of_the_vocabulary():
    rules = [rule(kind=EMERGENCY), rule(kind=GENERAL), rule(kind=EMERGENCY, on=5), rule(kind=FOLLOW_UP)]
    assert kinds_served(rules) == (GENERAL, FOLLOW_UP, EMERGENCY)
