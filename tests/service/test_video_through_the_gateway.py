"""A whole visit as two browsers have it: JSON calls and server-sent events; and what of it is never written down."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from gateway_harness import UNCOUNTED
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from chassis.tokens import verifier_of
from gateway.app import Gateway, Limits
from gateway.cors import Cors
from gateway.http import BodyLimits
from gateway.serve import http_server, listener
from gateway.settings import GatewaySettings
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams
from tests.fix_services import until
from tests.fix_spans import Spans
from tests.fix_video import Booked, House

SERVICE = pb.DESCRIPTOR.services_by_name["VideoService"]
OFFER = "v=0\r\no=- 4611731400430051336 2 IN IP4 203.0.113.77\r\n"
CANDIDATE = "candidate:842163049 1 udp 1677729535 198.51.100.23 46154 typ srflx"

# The test's own client, and uvicorn's access log: the gateway switches that off, but pytest hears it all the same.
NOT_WRITTEN = ("httpx", "httpcore", "uvicorn.access")


@dataclass
class Browser:
    """One participant's page: what it calls, and the events that it has heard."""

    http: httpx.AsyncClient
    token: str
    visit: Booked
    role: str
    session: str = ""
    me: str = ""
    attempt: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)

    async def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        headers["authorization"] = f"Bearer {self.token}"
        answer = await self.http.post(path, json=body if body is not None else {}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def start(self, **headers: str) -> Any:
        path = f"/video/sessions/{self.visit.appointment_id}/start"
        answer = await self.post(path, {"participant_type": self.role}, **headers)
        self.session, self.me, self.attempt = answer["session_id"], answer["participant_id"], answer["attempt"]
        return answer

    async def do(self, verb: str, body: Any = None, status: int = 200) -> Any:
        return await self.post(f"/video/sessions/{self.session}/{verb}", body, status)

    async def ticket(self) -> str:
        self.tickets.append((await self.do("stream-tickets"))["ticket"])
        return self.tickets[-1]

    async def listen(self, ticket: str, **headers: str) -> None:
        """Reads events as EventSource does: without a token, with a ticket in the address."""
        url = f"/video/sessions/{self.session}/events?ticket={ticket}"
        async with self.http.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            number = ""
            async for line in answer.aiter_lines():
                name, _, text = line.partition(": ")
                if name == "id":
                    number = text
                elif name == "data":
                    self.heard.append({"id": number, **orjson.loads(text)})

    def signals(self) -> list[Any]:
        return [event["signal"] for event in self.heard if event.get("signal")]


@asynccontextmanager
async def gateway_before(house: House, target: str) -> AsyncIterator[str]:
    """The real gateway behind the real HTTP server, before a video service; yields its address."""
    upstreams = Upstreams({"telemed.video.v1": target})
    limits = Limits(
        BodyLimits(64 * 1024, 5),
        StreamLimits(heartbeat_seconds=5, longest_seconds=60),
        call_seconds=5,
        rates=UNCOUNTED,
        cors=Cors(frozenset()),
        in_flight=100,
    )
    gateway = Gateway([SERVICE], upstreams, verifier_of(house.shared), limits)
    server, listening = http_server(gateway, GatewaySettings(upstreams={}, grace_seconds=1)), listener("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        gateway.stopping.set()
        server.should_exit = True
        await serving
        await upstreams.close()


@pytest.fixture
async def pages(video_house: House) -> AsyncIterator[tuple[Browser, Browser]]:
    """The patient's and the doctor's page of a visit that starts now."""
    visit = Booked()
    video_house.feed.tell(visit)
    async with (
        video_house.service() as visits,
        gateway_before(video_house, visits.target) as address,
        httpx.AsyncClient(base_url=address, timeout=20) as http,
    ):
        callers = visits.callers
        yield (
            Browser(http, callers.token(Role.PATIENT, visit.patient_id), visit, "patient"),
            Browser(http, callers.token(Role.DOCTOR, visit.doctor_id), visit, "doctor"),
        )


async def whole_visit(patient: Browser, doctor: Browser) -> None:
    """From the waiting room to the end."""
    waiting = await patient.start()
    assert (waiting["participant_state"], waiting["attempt"], waiting["topology"]) == ("Waiting", 0, "PeerToPeer")
    await patient.do("check-in", {"camera": True, "microphone": True, "network": True})
    listening = [asyncio.create_task(patient.listen(await patient.ticket()))]
    await doctor.start()
    listening.append(asyncio.create_task(doctor.listen(await doctor.ticket())))
    await doctor.do(f"participants/{patient.me}/admit")
    await until(lambda: bool(patient.heard) and _state(patient, patient.me) == "Admitted")
    assert (await patient.start())["polite"] is True

    offer = {"description": {"type": "Offer", "sdp": OFFER}}
    await doctor.do("signals", {"attempt": 1, "peer_attempt": 1, "number": 1, "payload": offer})
    trickle = {"candidates": [{"candidate": CANDIDATE, "sdp_mid": "0", "sdp_m_line_index": 0}]}
    await doctor.do("signals", {"attempt": 1, "peer_attempt": 1, "number": 2, "payload": trickle})
    await until(lambda: len(patient.signals()) == 2)
    for page in (patient, doctor):
        await page.do("heartbeat", {"attempt": 1, "number": 1, "connection_state": "Connected"})
    await until(lambda: patient.heard[-1]["session"] and patient.heard[-1]["session"]["state"] == "Live")
    await doctor.do("end")
    await until(lambda: patient.heard[-1]["session"]["state"] == "Ended")
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)


def _state(page: Browser, participant_id: str) -> str:
    people = page.heard[-1]["session"]["participants"]
    return next(str(one["state"]) for one in people if one["participant_id"] == participant_id)


async def test_a_visit_from_the_waiting_room_to_the_end(pages: tuple[Browser, Browser]) -> None:
    patient, doctor = pages
    await whole_visit(patient, doctor)
    first, second = patient.signals()
    assert first["payload"]["description"] == {"type": "Offer", "sdp": OFFER}
    assert second["payload"]["candidates"][0]["candidate"] == CANDIDATE
    assert [int(event["id"]) for event in patient.heard] == sorted(int(event["id"]) for event in patient.heard)


async def test_a_page_that_comes_back_goes_on_after_the_last_event_it_saw(pages: tuple[Browser, Browser]) -> None:
    patient, doctor = pages
    await patient.start()
    await doctor.start()
    await doctor.do(f"participants/{patient.me}/admit")
    await patient.start()
    for number in (1, 2, 3):
        payload = {"candidates": [{"candidate": f"candidate:{number}"}]}
        await doctor.do("signals", {"attempt": 1, "peer_attempt": 1, "number": number, "payload": payload})
    for expected in ([1, 2, 3], [2, 3]):
        headers = {"last-event-id": patient.heard[1]["id"]} if patient.heard else {}
        patient.heard = []
        listening = asyncio.create_task(patient.listen(await patient.ticket(), **headers))
        await until(lambda expected=expected: len(patient.signals()) == len(expected))
        assert [signal["number"] for signal in patient.signals()] == expected
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_a_ticket_is_used_up_and_a_token_in_the_address_opens_nothing(pages: tuple[Browser, Browser]) -> None:
    patient, _ = pages
    await patient.start()
    ticket = await patient.ticket()
    listening = asyncio.create_task(patient.listen(ticket))
    await until(lambda: bool(patient.heard))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    path = f"/video/sessions/{patient.session}/events"
    for query in (f"ticket={ticket}", "ticket=", "ticket=a&ticket=b", f"token={patient.token}", ""):
        answer = await patient.http.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["reason"]) == (401, "UNAUTHENTICATED"), query


async def test_an_idempotency_key_goes_on_with_the_attempt_that_it_began(pages: tuple[Browser, Browser]) -> None:
    _, doctor = pages
    first = await doctor.start(**{"idempotency-key": "page-1"})
    again = await doctor.start(**{"idempotency-key": "page-1"})
    assert (first["attempt"], again["attempt"]) == (1, 1)


async def test_nothing_secret_of_a_visit_is_in_logs_or_spans(
    pages: tuple[Browser, Browser], caplog: pytest.LogCaptureFixture, spans: Spans
) -> None:
    patient, doctor = pages
    with caplog.at_level(logging.DEBUG):
        await whole_visit(patient, doctor)
        joined = await doctor.post(
            f"/video/sessions/{doctor.visit.appointment_id}/start", {"participant_type": "x"}, 400
        )
        assert joined["reason"] == "INVALID_ARGUMENT"
    written = "\n".join(str(vars(record)) for record in caplog.records if not record.name.startswith(NOT_WRITTEN))
    written += "\n".join(span.to_json() for span in spans.exporter.get_finished_spans())
    assert "telemed.video.v1.VideoService/SendSignal" in written
    assert "/video/sessions/{session_id}/events" in written
    secrets = [OFFER, "203.0.113.77", CANDIDATE, "198.51.100.23", *patient.tickets, *doctor.tickets]
    secrets += [patient.token, doctor.token, patient.visit.patient_id, patient.visit.doctor_id]
    for secret in secrets:
        assert secret not in written, secret
