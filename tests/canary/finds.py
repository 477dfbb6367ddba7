"""Where words of patients could turn up, and the search for them."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx

from tests.canary.words import Words
from tests.fix_clinic import Clinic
from tests.fix_otlp import Receiver

_AROUND = 120


class Find(NamedTuple):
    """A word that was found: where, from which field it came, and what stands round it."""

    where: str
    came_from: str
    text: str


def logs_of(clinic: Clinic) -> Mapping[str, str]:
    """Everything that a stack writes down: each process, PostgreSQL, and the supervisor's console."""
    found = {f"log of {log.stem}": log.read_text(errors="replace") for log in (clinic.data / "logs").glob("*.log*")}
    return {**found, "console": (clinic.data / "console.log").read_text(errors="replace")}


def spans_of(receiver: Receiver) -> Mapping[str, str]:
    """Every span, with its attributes, events, links and state."""
    everything = b"\n".join(received.span.SerializeToString() for received in receiver.spans)
    return {"spans": everything.decode(errors="replace")}


def metrics_of(clinic: Clinic) -> Mapping[str, str]:
    """The page /metrics of each process."""
    first = clinic.port + 4
    accept = {"accept": "application/openmetrics-text"}
    return {
        f"metrics of {name}": httpx.get(f"http://127.0.0.1:{first + index}/metrics", headers=accept).text
        for index, name in enumerate(("gateway", "appointment", "doctor", "video"))
    }


def finds(sources: Mapping[str, str], words: Words, ids: tuple[str, ...] = ()) -> Iterator[Find]:
    """Each word, or id of a patient, that stands in one of the sources."""
    wanted = re.compile("|".join(map(re.escape, (words.mark, *ids))), re.IGNORECASE)
    for where, text in sources.items():
        for found in wanted.finditer(text):
            around = text[max(0, found.start() - _AROUND) : found.end() + _AROUND]
            came_from = words.place_of(text[found.start() :]) if found[0].lower() == words.mark else "a patient's id"
            yield Find(where, came_from, around)
