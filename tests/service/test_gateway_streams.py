"""Server-sent events through the real HTTP server: what a browser that stays, leaves or comes back is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest_asyncio
from gateway_harness import House, open_house, until
from telemed.appointment.v1 import appointment_service_pb2

from kernel.errors import InvalidArgument

URL = "/appointments/changes"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as found:
        yield found


def change(revision: str) -> appointment_service_pb2.WatchChangesResponse:
    response = appointment_service_pb2.WatchChangesResponse(head_revision="9", resume_revision=revision)
    if revision:
        response.change.revision = revision
    return response


def events(text: str) -> list[dict[str, str]]:
    """The events of a stream; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        pairs = [line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":")]
        if pairs:
            found.append(dict(pairs))
    return found


async def read_all(house: House, port: int, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=house.auth) as client:
        return await client.get(URL, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_each_message_is_an_event_with_its_revision(house):
    house.servicer.changes = [change("1"), change(""), change("2")]
    async with house.served() as port:
        answer = await read_all(house, port)
    assert answer.headers["content-type"] == "text/event-stream"
    found = events(answer.text)
    assert [event.get("id") for event in found] == ["1", None, "2"]
    assert orjson.loads(found[0]["data"])["change"]["revision"] == "1"


async def test_a_client_that_comes_back_goes_on_where_it_was(house):
    async with house.served() as port:
        await read_all(house, port, last_event_id="41")
    assert house.servicer.requests[0].after_revision == "41"


async def test_a_refusal_before_the_first_message_is_a_problem_with_its_status(house):
    house.servicer.changes = [InvalidArgument.of("after_revision", "must be a revision")]
    async with house.served() as port:
        answer = await read_all(house, port)
    assert (answer.status_code, answer.json()["violations"][0]["field"]) == (400, "after_revision")


async def test_a_refusal_after_it_is_an_event_and_the_end(house):
    house.servicer.changes = [change("1"), RuntimeError("Jane Doe")]
    async with house.served() as port:
        answer = await read_all(house, port)
    last = events(answer.text)[-1]
    assert (last["event"], orjson.loads(last["data"])["reason"]) == ("problem", "INTERNAL")
    assert "Jane" not in answer.text


async def test_a_quiet_stream_shows_signs_of_life_and_ends_in_time(house):
    house.servicer.holds_open = True
    async with house.served() as port:
        answer = await read_all(house, port)
        await until(lambda: house.servicer.streams == 0)
    assert answer.text.count(": alive\n\n") >= 5
    assert events(answer.text) == []


async def test_the_rpc_ends_when_the_client_goes(house):
    house.servicer.changes, house.servicer.holds_open = [change("1")], True
    async with (
        house.served() as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=house.auth) as client,
    ):
        async with client.stream("GET", URL) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    break
            assert house.servicer.streams == 1
        await until(lambda: house.servicer.streams == 0)


async def test_a_stop_of_the_gateway_ends_the_streams(house):
    house.servicer.changes, house.servicer.holds_open = [change("1")], True
    async with (
        house.served() as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=house.auth) as client,
        client.stream("GET", URL) as answer,
    ):
        parts = answer.aiter_text()
        first = await anext(parts)
        house.gateway.stopping.set()
        async with asyncio.timeout(0.8):
            rest = [part async for part in parts]
    assert events("".join([first, *rest]))[0]["id"] == "1"
