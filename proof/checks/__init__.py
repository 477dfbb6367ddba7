"""The checker: everything that must hold after a run, each check on its own, from the history and the evidence alone.

No module in here imports the system, its generated code or its libraries: a mistake that both make would go unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from proof.checks import diaries, holds, offers, promises, records
from proof.checks.case import Case, Check


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found; nothing is what it should find."""

    check: Check
    findings: Sequence[str]


def _check(name: str, judge: object) -> Check:
    claim = (judge.__doc__ or "").strip()
    return Check(name, claim, judge)  # type: ignore[arg-type]  # each of them is a Judge


CHECKS: Sequence[Check] = (
    _check("worthwhile", promises.worthwhile),
    _check("acknowledged", promises.acknowledged),
    _check("refused", promises.refused),
    _check("once", promises.once),
    _check("repeats", promises.repeats),
    _check("settled", promises.settled),
    _check("faultless", promises.faultless),
    _check("reads", promises.reads),
    _check("doctors", diaries.doctors),
    _check("patients", diaries.patients),
    _check("daily limit", diaries.daily_limit),
    _check("doctor's day", diaries.doctors_day),
    _check("claims", diaries.claims),
    _check("hours", offers.hours),
    _check("refusals", offers.refusals),
    _check("holds", holds.holds),
    _check("events", records.events),
    _check("lifecycle", records.lifecycle),
    _check("feed", records.feed),
    _check("consumer", records.watcher),
    _check("copies", records.copies),
    _check("analytics", records.attempts),
    _check("chain", records.chain),
)


def judge(case: Case) -> list[Verdict]:
    """Every check's verdict."""
    return [Verdict(check, list(check.judge(case))) for check in CHECKS]
