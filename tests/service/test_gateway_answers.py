"""What the gateway's answers carry besides their JSON: entity tags, compression, its own description, safe headers."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import House, open_house
from telemed.appointment.v1 import appointment_pb2, appointment_service_pb2

ID = "0193f3a0-5b1e-7c3a-9f24-6d2f0f1c9b11"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as found:
        yield found


@pytest_asyncio.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as found:
        yield found


async def test_an_answer_carries_the_entity_tag_of_what_it_shows(house, client):
    house.servicer.answer = appointment_pb2.Appointment(id=ID, etag="v7")
    answer = await client.get(f"/appointments/{ID}")
    assert answer.headers["etag"] == '"v7"'


async def test_the_tag_of_the_only_part_that_has_one_is_the_answers(house, client):
    house.servicer.answer = appointment_service_pb2.CancelAppointmentResponse(
        appointment=appointment_pb2.Appointment(etag="v8")
    )
    answer = await client.post(f"/appointments/{ID}/cancel", json={})
    assert answer.headers["etag"] == '"v8"'


async def test_if_match_stands_for_the_etag_of_the_request(house, client):
    house.servicer.answer = appointment_service_pb2.CancelAppointmentResponse()
    await client.post(f"/appointments/{ID}/cancel", json={}, headers={"If-Match": '"v7"'})
    await client.post(f"/appointments/{ID}/cancel", json={}, headers={"If-Match": "*"})
    assert [asked.etag for asked in house.servicer.requests] == ["v7", ""]


@pytest.mark.parametrize("tag", ["v7", 'W/"v7"', '"a", "b"', '""'])
async def test_an_if_match_that_is_no_single_tag_is_refused_by_name(house, client, tag: str):
    answer = await client.post(f"/appointments/{ID}/cancel", json={}, headers={"If-Match": tag})
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["field"] == "If-Match"
    assert house.servicer.requests == []


async def test_if_match_and_a_different_etag_in_the_body_are_refused(client):
    answer = await client.post(f"/appointments/{ID}/cancel", json={"etag": "v6"}, headers={"If-Match": '"v7"'})
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["field"] == "etag"


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip", "gzip"),
        ("br, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0, *", None),
        ("br", None),
        ("identity", None),
    ],
)
async def test_a_large_answer_is_compressed_for_those_who_accept_it(house, client, accepts: str, coding: str | None):
    visits = [appointment_pb2.Appointment(id=ID) for _ in range(100)]
    house.servicer.answer = appointment_service_pb2.ListAppointmentsResponse(appointments=visits)
    async with client.stream("GET", "/appointments", headers={"Accept-Encoding": accepts}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "accept-encoding"
    assert int(answer.headers["content-length"]) == len(raw)
    text = gzip.decompress(raw) if coding else raw
    assert len(json.loads(text)["appointments"]) == 100


async def test_a_small_answer_is_sent_as_it_is(house, client):
    house.servicer.answer = appointment_pb2.Appointment(id=ID)
    answer = await client.get(f"/appointments/{ID}", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


async def test_the_description_is_served_to_anybody_as_json_and_as_a_page(house):
    transport = httpx.ASGITransport(app=house.gateway)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as stranger:
        document = (await stranger.get("/openapi.json")).json()
        page = await stranger.get("/docs")
    assert "/appointments/smart-book" in document["paths"]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert "AppointmentService_SmartBook" in page.text


async def test_every_answer_keeps_browsers_from_doing_more_than_reading_it(client):
    answer = await client.get("/nothing-here")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
