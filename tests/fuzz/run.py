"""Asks every operation as everybody, so many times, and tells what was answered and what was wrong with it."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.failures import FailureGroup

from tests.fuzz.cast import NOBODY, Cast
from tests.fuzz.checks import ALL, FOR_NOBODY
from tests.fuzz.requests import requests_of

_ANSWER_SECONDS = 60
# A quiet stream takes a second to begin.
_FEWER_OF_STREAMS = 10
_TRIES = 20


@dataclass
class Report:
    """How many requests there were, by caller and status, and each different failure once."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    repeats: int = 0
    _told: set[str] = field(default_factory=set)

    @property
    def cases(self) -> int:
        """How many requests were answered."""
        return sum(self.answers.values())

    def note(self, caller: str, label: str, error: FailureGroup) -> None:
        """Keeps the first of each kind of failure of an operation, with what makes it again."""
        for failure in error.exceptions:
            self.failures.setdefault(f"{label}: {failure.title}", f"as {caller}: {failure}\n{error}")

    def fresh(self) -> Iterator[str]:
        """The failures that nobody has been told yet."""
        for name, told in self.failures.items():
            if name not in self._told:
                self._told.add(name)
                yield f"\n{'=' * 100}\n{name}\n{told}"

    def lines(self) -> Iterator[str]:
        """The report for people."""
        by_status: dict[int, dict[str, int]] = {}
        for (caller, status), count in sorted(self.answers.items()):
            by_status.setdefault(status, {})[caller] = count
        for status, counts in sorted(by_status.items()):
            yield f"  {status}: " + ", ".join(f"{caller} {count}" for caller, count in counts.items())
        yield f"{self.cases} requests, {self.repeats} repeated after 503, {len(self.failures)} kinds of failure"


@dataclass
class Fuzz:
    """Runs requests against one clinic; the same seed makes the same requests."""

    cast: Cast
    number: int
    report: Report = field(default_factory=Report)

    def run(self, cases_each: int, only: str = "") -> Iterator[str]:
        """Asks each operation `cases_each` times as each caller, in good ways and bad; each is told once done."""
        base = f"http://127.0.0.1:{self.cast.clinic.port}"
        document = _without_security(self.cast.clinic.http.get("/openapi.json").json())
        with requests.Session() as session:
            for result in schemathesis.openapi.from_dict(document).get_all_operations():
                operation: APIOperation[Any, Any, Any, Any] = result.ok()
                if not re.search(only, operation.label):
                    continue
                streams = (
                    "text/event-stream"
                    in document["paths"][operation.path][operation.method.lower()]["responses"]["200"]["content"]
                )
                count = max(1, cases_each // _FEWER_OF_STREAMS) if streams else cases_each
                for caller in self.cast.callers:
                    self._ask(operation, caller, count if caller != NOBODY else max(1, count // 5), base, session)
                yield operation.label

    def _ask(
        self, operation: APIOperation[Any, Any, Any, Any], caller: str, count: int, base: str, session: requests.Session
    ) -> None:
        checks = FOR_NOBODY if caller == NOBODY else ALL
        headers = self.cast.headers(caller)

        def ask(case: Case) -> None:
            try:
                options = {"base_url": base, "session": session, "headers": headers, "timeout": _ANSWER_SECONDS}
                answer = case.call(**options)
                for _ in range(_TRIES):
                    # By contract the same call may be sent again: a service was not to be reached for a moment.
                    if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                        break
                    self.report.repeats += 1
                    time.sleep(float(answer.headers["retry-after"][0]))
                    answer = case.call(**options)
                case.validate_response(answer, checks=checks, headers=headers)
                self.report.answers[caller, answer.status_code] += 1
            except FailureGroup as error:
                self.report.answers[caller, 0] += 1
                self.report.note(caller, operation.label, error)

        for mode in GenerationMode:
            asked = seed(self.number)(
                settings(
                    max_examples=count,
                    phases=[Phase.generate],
                    database=None,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                )(given(case=requests_of(operation, mode, self.cast.pool))(ask))
            )
            try:
                asked()
            except Unsatisfiable:
                # Nothing can be wrong with a request that says nothing.
                assert mode is GenerationMode.NEGATIVE, operation.label


def _without_security(document: dict[str, Any]) -> dict[str, Any]:
    """The document as those read it who send a token of their own with each request."""
    del document["security"], document["components"]["securitySchemes"]
    for verbs in document["paths"].values():
        for operation in verbs.values():
            operation.pop("security", None)
    return document
