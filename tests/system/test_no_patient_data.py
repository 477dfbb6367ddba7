"""Words of patients go through every text field of every RPC, by both ways in and with faults: none is found again."""

import itertools
import json
import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import grpc
import httpx
import psycopg
import pytest

from gateway.discovery import installed_services
from gateway.routes import Binding, bindings_of
from tests.canary.finds import Find, finds, logs_of, metrics_of, spans_of
from tests.canary.senders import Told, over_grpc, over_http, raw_grpc
from tests.canary.words import Words, good_request, name_of, text_fields, with_word
from tests.fix_clinic import Clinic, running_clinic
from tests.fix_otlp import Receiver, receiving
from tests.fix_stack import wait_until
from tests.fuzz.cast import cast_of

BINDINGS = [binding for service in installed_services("telemed") for binding in bindings_of(service)]
CALLERS = ("patient", "doctor", "admin")
FORBIDDEN = 403
# Words that every caller sends, whatever they ask. X-Request-Id is not among them: it is for the log, and comes back.
HEADERS = ("user-agent", "referer", "cookie", "x-forwarded-for", "x-anything")
# What a refusal may say again: "No cardiology doctors available at this time" names the specialty asked for. The
# path is the problem's `instance` by RFC 9457; names of fields are no words.
MAY_COME_BACK = (".specialty_required",)


@dataclass
class Canary:
    """A clinic that is sung to, and what it answered."""

    clinic: Clinic
    receiver: Receiver
    words: Words
    known: Mapping[str, list[Any]]
    channels: dict[str, grpc.Channel]
    tokens: dict[str, dict[str, str]]
    answers: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, set[int]] = field(default_factory=dict)

    def headers(self, place: str) -> dict[str, str]:
        return {name: self.words.fresh(f"{place} header {name}") for name in HEADERS}

    def ask(self, binding: Binding, caller: str, request: dict[str, Any], place: str) -> int:
        answer = over_http(self.clinic.http, binding, request, {**self.headers(place), **self.tokens[caller]})
        self.keep(f"{caller} {place}", answer)
        self.statuses.setdefault(binding.method.name, set()).add(answer.status_code)
        return answer.status_code

    def keep(self, place: str, answer: httpx.Response) -> None:
        """Keeps a refusal, less the path that was asked for: that is the caller's own, by contract (RFC 9457)."""
        if answer.status_code >= 400:
            problem = answer.json()
            del problem["instance"]
            self.answers[f"HTTP {place}"] = json.dumps(problem)

    def call(self, binding: Binding, caller: str, request: dict[str, Any], place: str, timeout: float = 10) -> None:
        told = over_grpc(self.channel(binding), binding.method, request, self.metadata(caller, place), timeout)
        self.heard(f"{caller} {place}", told)

    def heard(self, place: str, told: Told) -> None:
        if told.code is not grpc.StatusCode.OK:
            self.answers[f"gRPC {place}"] = told.text

    def channel(self, binding: Binding) -> grpc.Channel:
        return self.channels[binding.method.containing_service.full_name.split(".")[1]]

    def metadata(self, caller: str, place: str) -> dict[str, str]:
        return {"x-anything": self.words.fresh(f"{place} metadata"), **self.tokens[caller]}

    def found(self) -> list[Find]:
        """What the system wrote down, in words and in the ids of patients, and what it answered, in words."""
        self.settle()
        written = {**logs_of(self.clinic), **spans_of(self.receiver), **metrics_of(self.clinic)}
        patients = tuple(self.known["patient_id"])
        answered = (one for one in finds(self.answers, self.words) if not one.came_from.endswith(MAY_COME_BACK))
        return [*finds(written, self.words, patients), *answered]

    def settle(self) -> None:
        """Waits for the spans of a last request to each service: those before it have arrived by then."""
        for path, service in (
            ("/appointments", "appointment"),
            ("/doctors/search", "doctor"),
            ("/video/sessions", "video"),
        ):
            trace = self.clinic.http.get(path, headers=self.tokens["admin"]).headers["x-request-id"]
            wait_until(
                lambda trace=trace, service=service: (
                    {"gateway", service} <= {received.service for received in self.receiver.trace(trace)}
                ),
                f"the spans of {service} have arrived",
                60,
            )


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        clinic = stack.enter_context(
            running_clinic(
                "--json-logs",
                OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
                OTEL_BSP_SCHEDULE_DELAY="100",
                GATEWAY_STREAM_SECONDS="0.2",
                GATEWAY_USER_BURST="0",
                GATEWAY_ADDRESS_BURST="0",
                TELEMED_LOG_LEVEL="DEBUG",
            )
        )
        cast = cast_of(clinic)
        services = ("appointment", "doctor", "video")
        channels = {name: stack.enter_context(grpc.insecure_channel(clinic.target(name))) for name in services}
        tokens = {name: {"authorization": cast.headers(name)["Authorization"]} for name in CALLERS}
        words = Words(f"zq{secrets.token_hex(6)}zq")
        yield Canary(clinic, receiver, words, cast.pool, channels, tokens)


@pytest.mark.timeout(900)
def test_no_word_is_found_again(canary: Canary):
    """One test, so that one clinic is enough: each part sings, and listens whether anything of it is heard."""
    no_word_of_any_field_is_found_again(canary)
    no_word_of_what_is_no_request_at_all_is_found_again(canary)
    faults_bring_no_word_to_light(canary)
    the_canary_would_be_heard(canary)


def no_word_of_any_field_is_found_again(canary: Canary) -> None:
    for binding in BINDINGS:
        good = good_request(binding.method.input_type, canary.known)
        place = f"{binding.name} as it should be"
        # Whom the RPC is not open to is turned away before anybody looks at a field.
        callers = [caller for caller in CALLERS if canary.ask(binding, caller, good, place) != FORBIDDEN]
        for path in text_fields(binding.method.input_type):
            place = f"{binding.method.full_name}.{name_of(path)}"
            request = with_word(good, path, canary.words.fresh(place))
            for caller in callers:
                canary.ask(binding, caller, request, place)
            canary.call(binding, callers[-1], request, place)
    assert canary.found() == []
    # It did get somewhere: many RPCs were carried out, and what was written is read again by those whom it is for.
    assert sum(200 in statuses for statuses in canary.statuses.values()) > 25, canary.statuses
    notes = canary.clinic.rows("appointment", "SELECT patient_notes FROM appointment")
    assert any(canary.words.mark in note for (note,) in notes)


def no_word_of_what_is_no_request_at_all_is_found_again(canary: Canary) -> None:
    http, words = canary.clinic.http, canary.words
    json_type = {"content-type": "application/json"}
    for binding, caller in itertools.product((one for one in BINDINGS if one.body), ("patient", "admin")):
        path = binding.template.text.replace("{", "").replace("}", "")
        for name, body in broken_bodies(words.fresh(f"{binding.name} body")).items():
            headers = {**json_type, **canary.tokens[caller]}
            canary.keep(f"{binding.name} {name}", http.request(binding.verb, path, content=body, headers=headers))
        told = raw_grpc(canary.channel(binding), binding.method, b"\xff" + words.fresh("bytes").encode(), {})
        canary.heard(f"{binding.name} bytes", told)
    for name, token in bad_tokens(words.fresh("token")).items():
        canary.keep(name, http.get("/appointments", headers={"authorization": token}))
        listing = next(one for one in BINDINGS if one.method.name == "ListAppointments")
        canary.heard(name, raw_grpc(canary.channel(listing), listing.method, b"", {"authorization": token}))
    canary.keep("path", http.get(f"/nothing/{words.fresh('path')}?{words.fresh('name')}={words.fresh('value')}"))
    assert canary.found() == []


def broken_bodies(word: str) -> dict[str, bytes]:
    return {
        "cut off": b'{"patient_notes": "%s' % word.encode(),
        "no JSON": word.encode(),
        "a list": b'["%s"]' % word.encode(),
        "twice": b'{"patient_notes": "%s", "patient_notes": "%s"}' % (word.encode(), word.encode()),
        "wrong types": b'{"patient_id": {"a": "%s"}, "id": ["%s"]}' % (word.encode(), word.encode()),
        "deep": b'{"patient_notes": ' + b"[" * 50 + b'"%s"' % word.encode() + b"]" * 50 + b"}",
        "not UTF-8": b'{"patient_notes": "%s\xff"}' % word.encode(),
    }


def bad_tokens(word: str) -> dict[str, str]:
    return {
        "no JWT": f"Bearer {word}",
        "another scheme": f"Basic {word}",
        "a ticket": f"Ticket {word}",
        "three parts": f"Bearer {word}.{word}.{word}",
    }


def faults_bring_no_word_to_light(canary: Canary) -> None:
    wanted = ("SmartBook", "Book", "HoldSlot", "CancelAppointment", "CreateOverride", "UpdateDoctor", "SendSignal")
    chosen = [binding for binding in BINDINGS if binding.method.name in wanted]
    with terminated_backends(canary.clinic):
        sing(canary, chosen, "without backends")
    pid = canary.clinic.state.processes["doctor"].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    sing(canary, chosen, "without the doctor service")
    for timeout in (0.01, 0.12, 0.15):
        sing(canary, chosen, f"within {timeout} s", timeout)
    wait_until(lambda: canary.clinic.http.get("/readyz").status_code == 200, "the clinic is well again", 60)
    assert canary.found() == []
    fatal = "terminating connection due to administrator command"
    assert fatal in logs_of(canary.clinic)["log of postgres"]


def sing(canary: Canary, bindings: list[Binding], place: str, timeout: float = 10) -> None:
    """Words in all the free text of some requests, by both ways."""
    for binding, caller in itertools.product(bindings, ("patient", "admin")):
        request = good_request(binding.method.input_type, canary.known)
        for path in text_fields(binding.method.input_type):
            if path[-1].name in ("patient_notes", "reason", "note", "bio", "sdp", "first_name"):
                request = with_word(request, path, canary.words.fresh(f"{binding.name} {place}"))
        canary.ask(binding, caller, request, place)
        canary.call(binding, caller, request, place, timeout)


@contextmanager
def terminated_backends(clinic: Clinic) -> Iterator[None]:
    """Every connection of the services is cut, again and again, as long as the block runs."""
    over = Event()
    url = clinic.state.database_urls["appointment"]

    def cut() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.02):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )

    thread = Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def the_canary_would_be_heard(canary: Canary) -> None:
    """A word is let out on purpose wherever the others are looked for, and is found there."""
    word = canary.words.fresh("let out on purpose")
    log = canary.clinic.data / "logs" / "video.log"
    before = log.read_bytes()
    span = canary.receiver.spans[-1].span
    told = span.attributes.add(key="leak")
    told.value.string_value = f"a sentence with {word.upper()} in it"
    try:
        log.write_bytes(before + f'{{"message": "Task failed: {word}"}}\n'.encode())
        canary.answers["HTTP a refusal"] = json.dumps({"detail": f"duplicate key: ({word})"})
        found = canary.found()
        written = dict(metrics_of(canary.clinic))
        written["metrics of doctor"] += f'calls_total{{name="{canary.known["patient_id"][0]}"}} 1\n'
        by_id = list(finds(written, canary.words, tuple(canary.known["patient_id"])))
    finally:
        log.write_bytes(before)
        del span.attributes[-1], canary.answers["HTTP a refusal"]
    # The console shows the logs as they grow, and so the line of this one as well when it was quick.
    assert {one.where for one in found} - {"console"} == {"log of video", "spans", "HTTP a refusal"}
    assert {one.came_from for one in found} == {"let out on purpose"}
    assert [(one.where, one.came_from) for one in by_id] == [("metrics of doctor", "a patient's id")]
    # And it did look into something.
    written = logs_of(canary.clinic)
    assert {"log of gateway", "log of appointment", "log of doctor", "log of video", "log of postgres"} <= set(written)
    assert all(text for name, text in written.items() if name.startswith("log of "))
    assert len(canary.receiver.spans) > 1000
