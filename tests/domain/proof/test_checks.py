"""Every check of the proof is content with a day that went well, and finds its own fault in one that did not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from proof.checks import CHECKS, judge
from proof.checks.case import Case
from proof.history import UNKNOWN, Repeat
from tests.domain.proof.proof_builders import DOCTOR, TEN, good_day

Spoil = Callable[[Case], Any]


def failed(case: Case) -> dict[str, str]:
    return {verdict.check.name: verdict.findings[0] for verdict in judge(case) if verdict.findings}


def test_a_day_that_went_well_passes_every_check():
    assert failed(good_day()) == {}


def operation(case: Case, number: int) -> Any:
    return case.history.operations[number]


def event(case: Case, number: int) -> Any:
    return case.evidence.events[number - 1]


def evidence(case: Case, **changed: Any) -> Case:
    return Case(case.history, replace(case.evidence, **changed))


def put(what: Any, **changed: Any) -> None:
    what.update(changed)


def at_ten(case: Case) -> None:
    """Bob holds the time that is Ann's."""
    for number in (3, 4):
        put(
            event(case, number)["after"], start_time=TEN.isoformat(), end_time=(TEN + timedelta(minutes=30)).isoformat()
        )


def of_ann(case: Case) -> None:
    at_ten(case)
    for number in (3, 4):
        put(event(case, number)["after"], patient_id="ann")


def too_late(case: Case) -> None:
    refused = operation(case, 99)
    refused.invoked, refused.ended = refused.invoked + 60, refused.ended + 60


SPOILED: list[tuple[str, str, Spoil]] = [
    ("worthwhile", "hardly anything happened", lambda c: c.history.rules.update(least_granted=6)),
    ("worthwhile", "nothing went wrong", lambda c: c.history.rules.update(faults=True)),
    (
        "acknowledged",
        "an acknowledged cancellation left no event",
        lambda c: evidence(c, events=c.evidence.events[:-1]),
    ),
    ("acknowledged", "a client was told another time", lambda c: operation(c, 1).result.update(start=TEN.isoformat())),
    (
        "acknowledged",
        "a change took effect on a version that was not asked for",
        lambda c: operation(c, 5).intent.update(etag="1"),
    ),
    ("refused", "a refused booking happened", lambda c: put(event(c, 1), trace="trace 99")),
    (
        "refused",
        "an appointment that was told of is not found",
        lambda c: setattr(operation(c, 99), "reason", "APPOINTMENT_NOT_FOUND"),
    ),
    ("once", "a booking took effect twice", lambda c: put(event(c, 3), trace="trace 1")),
    ("once", "something happened that nobody asked for", lambda c: put(event(c, 3), trace="nobody")),
    ("once", "a clock struck too early", lambda c: put(event(c, 5), role="service")),
    (
        "repeats",
        "a repeat was answered something else",
        lambda c: operation(c, 1).repeats.append(Repeat("ok", "", "other", False)),
    ),
    (
        "repeats",
        "a repeat was refused",
        lambda c: operation(c, 1).repeats.append(Repeat("fail", "SLOT_TAKEN", "", False)),
    ),
    ("repeats", "the kept answer is another one", lambda c: evidence(c, answers=c.evidence.answers[1:])),
    ("settled", "a question stays open", lambda c: setattr(operation(c, 99), "outcome", UNKNOWN)),
    ("faultless", "a call met a fault of ours", lambda c: operation(c, 1).attempts.append("INTERNAL")),
    ("faultless", "PostgreSQL broke a deadlock", lambda c: evidence(c, log="ERROR:  deadlock detected")),
    ("reads", "a read showed an old version", lambda c: put(c.history.reads[1], version=1)),
    ("reads", "a read showed what was never committed", lambda c: put(c.history.reads[2], status="CONFIRMED")),
    ("doctors", "two visits of one doctor at once", at_ten),
    ("doctors", "more visits than room", lambda c: c.history.doctors[DOCTOR]["offers"]["FOLLOW_UP"].update(capacity=0)),
    ("patients", "two visits of one patient at once", of_ann),
    ("daily limit", "a patient with too many visits", lambda c: c.history.rules.update(daily_limit=0)),
    ("doctor's day", "a doctor with too many visits", lambda c: c.history.doctors[DOCTOR].update(day_limit=1)),
    ("claims", "a claim is missing", lambda c: evidence(c, doctor_claims=[])),
    ("claims", "a claim is left over", lambda c: evidence(c, patient_claims=[*c.evidence.patient_claims] * 2)),
    ("hours", "a visit outside the hours", lambda c: c.history.doctors[DOCTOR].update(blocks=[[540, 600]])),
    ("hours", "a visit with another buffer", lambda c: put(event(c, 1)["after"], buffer_minutes=0)),
    ("refusals", "a free time was called taken", too_late),
    (
        "holds",
        "a hold was confirmed too late",
        lambda c: put(event(c, 4), time=event(c, 4)["time"] + timedelta(seconds=9)),
    ),
    ("holds", "a hold lasts too long", lambda c: c.history.rules.update(hold_seconds=1)),
    ("events", "the last event is not the row", lambda c: put(c.evidence.appointments[0]["row"], seat=1)),
    ("events", "a version is missing", lambda c: evidence(c, events=[*c.evidence.events[:1], *c.evidence.events[2:]])),
    ("lifecycle", "a visit ended that never began", lambda c: put(event(c, 5)["after"], status="COMPLETED")),
    ("feed", "a number is missing", lambda c: evidence(c, feed=[*c.evidence.feed[:2], *c.evidence.feed[3:]])),
    ("feed", "an event waits for its number", lambda c: put(c.evidence.feed_head, pending=1)),
    ("consumer", "a change was not shown", lambda c: c.history.sightings.pop(2)),
    ("consumer", "the last change was not shown", lambda c: c.history.sightings.pop()),
    ("copies", "the doctor service has an old version", lambda c: put(c.evidence.doctor_copy[0], version=1)),
    ("copies", "the video service lacks an appointment", lambda c: evidence(c, video_copy=c.evidence.video_copy[1:])),
    ("copies", "a rating was counted twice", lambda c: put(c.evidence.doctors[0], rating=5.0, rating_count=2)),
    ("analytics", "a booking is not counted", lambda c: evidence(c, attempts=c.evidence.attempts[1:])),
    ("chain", "the audit objects", lambda c: evidence(c, chain="event 3 was edited")),
]


@pytest.mark.parametrize(("check", "what", "spoil"), SPOILED, ids=[what for _, what, _ in SPOILED])
def test_a_spoiled_day_is_found_by_its_check(check: str, what: str, spoil: Spoil):
    case = good_day()
    spoiled = spoil(case)
    found = failed(spoiled if isinstance(spoiled, Case) else case)
    assert check in found, f"{what}: found instead {found}"


def test_every_check_has_a_day_that_it_alone_is_there_for():
    assert {check for check, _, _ in SPOILED} == {check.name for check in CHECKS}
