"""docs/errors.md lists every reason with its code and its HTTP status, and no other."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from google.rpc import code_pb2

from chassis.rpc_errors import RemoteRefusal
from gateway.codec.encode import Encoder
from gateway.problems import problem_of
from kernel.errors import Refusal

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| ([A-Z_]+) \| ([A-Z_]+) \| (\d{3}) \|", re.MULTILINE)
# What the chassis says itself when something other than a refusal ends a call.
NOT_CLASSES = {"CONTENTION", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL"}
PACKAGES = ("kernel", "chassis", "appointment_svc", "doctor_svc", "video_svc")


def refusals() -> dict[str, type[Refusal]]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return {found.reason: found for found in _below(Refusal) if found is not RemoteRefusal}


def _below(parent: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in parent.__subclasses__():
        if child.__module__.split(".")[0] in PACKAGES:
            yield child
        yield from _below(child)


def test_the_page_lists_exactly_the_reasons_that_there_are():
    listed = {reason for reason, _, _ in ROW.findall(PAGE.read_text())}
    assert listed == set(refusals()) | NOT_CLASSES


def test_the_codes_and_statuses_of_the_page_are_true():
    known = refusals()
    for reason, code, status in ROW.findall(PAGE.read_text()):
        assert code in code_pb2.Code.keys()  # noqa: SIM118 - an enum wrapper, not a dict
        if reason in known:
            refusal = known[reason].__new__(known[reason])
            Refusal.__init__(refusal, "whatever its own constructor asks for")
            problem, _ = problem_of(refusal, Encoder())
            assert (known[reason].kind.value, str(problem.status)) == (code, status), reason
