"""Every set of rules that one wish can break is told whole, in the order in which booking asks, with its figures."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from appointment_svc.domain.errors import NoAvailability, SlotTaken
from appointment_svc.domain.failing import (
    PRECEDENCE,
    DoctorFacts,
    LedgerFacts,
    failing_at,
    failing_in_window,
    told_in_full,
)
from appointment_svc.domain.rules import Rules
from kernel.appointment_types import AppointmentType
from kernel.errors import Kind, Refusal
from kernel.slots import AlternativeSlot, Slot, SlotPriority

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
DAY = START.date()


@dataclass(frozen=True)
class Facts:
    """Everything that there is to know; by default none of it is in the way."""

    rules: Rules = field(default_factory=Rules)
    doctor: DoctorFacts = field(default_factory=lambda: DoctorFacts(UTC))
    ledger: LedgerFacts = field(default_factory=LedgerFacts)

    def failing(self) -> list[Refusal]:
        return list(failing_at(START, NOW, self.rules, self.doctor, ledger=self.ledger, specialty="cardiology"))

    def ruled(self, **rules: object) -> "Facts":
        return replace(self, rules=replace(self.rules, **rules))

    def doctored(self, **facts: object) -> "Facts":
        return replace(self, doctor=replace(self.doctor, **facts))

    def claimed(self, **facts: object) -> "Facts":
        return replace(self, ledger=replace(self.ledger, **facts))


BREAKS: dict[str, Callable[[Facts], Facts]] = {
    "TOO_SOON": lambda facts: facts.ruled(min_advance=START - NOW + timedelta(minutes=35)),
    "DOCTOR_UNVERIFIED": lambda facts: facts.doctored(is_verified=False),
    "SPECIALTY_NOT_AVAILABLE": lambda facts: facts.doctored(has_specialty=False),
    "TOO_FAR_AHEAD": lambda facts: facts.ruled(max_advance_days=2),
    "OUTSIDE_WORKING_HOURS": lambda facts: facts.doctored(works_then=False),
    "SLOT_TAKEN": lambda facts: facts.claimed(slot_taken=True),
    "PATIENT_BUSY": lambda facts: facts.claimed(patient_busy=True),
    "DAILY_LIMIT_REACHED": lambda facts: facts.claimed(full_day=DAY, next_free_day=DAY + timedelta(days=1)),
}
FIGURES = {
    "TOO_SOON": {"missing_minutes": "35", "earliest_start_time": "2026-03-04T10:35:00+00:00"},
    "TOO_FAR_AHEAD": {"last_day": "2026-03-03", "opens_on": "2026-03-02"},
    "DAILY_LIMIT_REACHED": {"daily_limit": "3", "day": "2026-03-04", "next_free_day": "2026-03-05"},
}
SETS = [broken for size in range(1, len(BREAKS) + 1) for broken in combinations(BREAKS, size)]


class Raised(Refusal):
    """A refusal as it was raised: with its reason and without any figures."""

    kind = Kind.FAILED_PRECONDITION

    def __init__(self, reason: str) -> None:
        super().__init__("without figures")
        self.reason = reason  # type: ignore[misc]


def broken_by(names: tuple[str, ...]) -> Facts:
    facts = Facts()
    for name in names:
        facts = BREAKS[name](facts)
    return facts


def test_nothing_fails_where_nothing_is_in_the_way():
    assert Facts().failing() == []


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_every_set_of_broken_rules_is_told_whole_and_in_order(names: tuple[str, ...]):
    failing = broken_by(names).failing()
    assert tuple(rule.reason for rule in failing) == names
    assert sorted(names, key=PRECEDENCE.index) == list(names)
    for rule in failing:
        assert rule.metadata.items() >= FIGURES.get(rule.reason, {}).items()


@pytest.mark.parametrize("names", [names for names in SETS if len(names) <= 3], ids="+".join)
def test_whichever_rule_refused_first_stays_the_reason_and_the_others_stand_beside_it(names: tuple[str, ...]):
    for refused in broken_by(names).failing():
        whole = told_in_full(Raised(refused.reason), broken_by(names).failing())
        assert whole.reason == refused.reason
        assert whole.message == refused.message, "with the figures that are known by now"
        assert [rule.reason for rule in whole.failing] == [whole.reason, *(n for n in names if n != whole.reason)]
        for name in names:
            assert whole.figures.items() >= FIGURES.get(name, {}).items()


def test_a_refusal_that_nothing_explains_stands_as_it_is_with_the_rest_beside_it():
    whole = told_in_full(NoAvailability.of(), broken_by(("PATIENT_BUSY", "DAILY_LIMIT_REACHED")).failing())
    assert [rule.reason for rule in whole.failing] == ["NO_AVAILABILITY", "PATIENT_BUSY", "DAILY_LIMIT_REACHED"]


def test_the_first_time_that_works_is_a_figure_too():
    slot = Slot(START, START, AppointmentType.FOLLOW_UP, SlotPriority.AVAILABLE, timedelta(), 1)
    other = AlternativeSlot("doctor", "Ada", "Stone", slot, 0.5, has_patient_history=False)
    whole = told_in_full(SlotTaken.of(), [], (other,))
    assert whole.alternatives == (other,)
    assert whole.figures == {"free_start_time": START.isoformat()}


def test_the_notice_named_is_enough_for_the_clinic_and_for_the_hours():
    facts = broken_by(("TOO_SOON",)).doctored(missing_minutes=90)
    assert [rule.metadata["missing_minutes"] for rule in facts.failing()] == ["90"]
    facts = broken_by(("TOO_SOON",)).doctored(missing_minutes=10)
    assert [rule.metadata["missing_minutes"] for rule in facts.failing()] == ["35"]


def test_hours_with_a_notice_of_their_own_are_closed_and_say_by_how_much():
    (rule,) = Facts().doctored(missing_minutes=35).failing()
    assert (rule.reason, rule.metadata) == ("OUTSIDE_WORKING_HOURS", {"missing_minutes": "35"})
    assert rule.message == "the doctor's hours then need 35 more minutes of notice"


def test_hours_with_a_horizon_of_their_own_are_closed_and_say_until_when_they_are_open():
    (rule,) = Facts().doctored(last_day=date(2026, 3, 2)).failing()
    assert (rule.reason, rule.metadata) == ("OUTSIDE_WORKING_HOURS", {"last_day": "2026-03-02"})


def test_past_the_clinics_horizon_the_stricter_one_is_named():
    facts = broken_by(("TOO_FAR_AHEAD",)).doctored(last_day=date(2026, 3, 2))
    (rule,) = facts.failing()
    assert (rule.reason, rule.metadata["last_day"], rule.metadata["opens_on"]) == (
        "TOO_FAR_AHEAD",
        "2026-03-02",
        "2026-03-03",
    )


def test_the_day_is_that_of_the_doctors_calendar():
    far_east = Facts().ruled(max_advance_days=2).doctored(zone=ZoneInfo("Pacific/Kiritimati"))
    # On Kiritimati it is the 2nd already when the 1st is at noon in London, and the 5th at the start.
    assert [rule.metadata["last_day"] for rule in far_east.failing()] == ["2026-03-04"]


def test_of_a_doctor_of_whom_nothing_may_be_told_nothing_is():
    facts = broken_by(("TOO_FAR_AHEAD", "OUTSIDE_WORKING_HOURS")).doctored(zone=None, is_verified=False)
    assert [rule.reason for rule in facts.failing()] == ["DOCTOR_UNVERIFIED"]


@pytest.mark.parametrize(
    ("closes", "day", "ledger", "reasons"),
    [
        (NOW + timedelta(hours=2), NOW.date(), LedgerFacts(), []),
        (NOW + timedelta(hours=1), NOW.date(), LedgerFacts(), ["TOO_SOON"]),
        (NOW + timedelta(days=92), date(2026, 6, 1), LedgerFacts(), ["TOO_FAR_AHEAD"]),
        (NOW + timedelta(days=91), date(2026, 5, 31), LedgerFacts(), []),
        (
            NOW + timedelta(hours=1),
            NOW.date(),
            LedgerFacts(patient_busy=True, full_day=NOW.date(), next_free_day=DAY),
            ["TOO_SOON", "PATIENT_BUSY", "DAILY_LIMIT_REACHED"],
        ),
    ],
)
def test_a_window_breaks_the_clinics_and_the_patients_rules(
    closes: datetime, day: date, ledger: LedgerFacts, reasons: list[str]
):
    failing = failing_in_window(closes, day, NOW, UTC, Rules(), ledger=ledger)
    assert [rule.reason for rule in failing] == reasons
