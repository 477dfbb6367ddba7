"""One call at a time through the real application and a real gRPC server."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import BODY_BYTES, SERVICE, House, Issuer, open_house, refuse_with
from telemed.appointment.v1 import appointment_pb2, appointment_service_pb2
from telemed.type.v1 import scheduling_pb2

from gateway.upstreams import Upstreams
from kernel.errors import IdempotencyKeyReused, InvalidArgument, Kind, Overloaded, Refusal

BOOKING = {
    "patient_id": "p",
    "doctor_id": "d",
    "appointment_date": "2025-06-18T10:00:00Z",
    "appointment_type": "FollowUp",
    "duration_minutes": 20,
    "timezone": "UTC",
    "specialty_required": "cardiology",
}


class Taken(Refusal):
    kind = Kind.ABORTED
    reason = "SLOT_TAKEN"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    offer = scheduling_pb2.Alternatives(slots=[scheduling_pb2.AlternativeSlot(doctor_id="d2")])
    async with open_house(tmp_path, refuse_with(offer)) as found:
        found.servicer.answer = appointment_service_pb2.BookResponse(revision="r1")
        yield found


@pytest_asyncio.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client() as found:
        yield found


async def test_the_fixed_json_of_a_booking_reaches_the_service_and_the_answer_comes_back(house, client):
    house.servicer.answer = appointment_service_pb2.BookResponse(
        appointment=appointment_pb2.Appointment(id="a", status=3, appointment_type=3), doctor_match_score=0.5
    )
    answer = await client.post("/appointments/book", json=BOOKING, headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["appointment"]["status"], body["appointment"]["appointment_type"]) == ("Confirmed", "FollowUp")
    assert (body["doctor_match_score"], body["match_reasons"], body["is_preferred_doctor"]) == (0.5, [], False)
    asked = house.servicer.requests[0]
    assert (asked.appointment_date.seconds, asked.appointment_type, asked.request_id) == (1_750_240_800, 3, "k1")


async def test_the_caller_goes_on_to_the_service(house, client):
    await client.post("/api/appointments/book", json=BOOKING)
    assert house.servicer.metadata[0]["authorization"] == client.headers["authorization"]


async def test_a_services_token_is_not_taken_at_this_door(house, client):
    client.headers["authorization"] = f"Bearer {house.issuer.token(role='service')}"
    answer = await client.get("/appointments")
    assert (answer.status_code, answer.json()["reason"]) == (403, "PERMISSION_DENIED")
    assert not house.servicer.requests


async def test_every_answer_has_the_safe_headers_and_a_request_id(client):
    answer = await client.post("/appointments/book", json=BOOKING, headers={"x-request-id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"
    strange = await client.post("/appointments/book", json=BOOKING, headers={"x-request-id": "<script>"})
    assert len(strange.headers["x-request-id"]) == 32


async def test_a_value_that_only_the_service_can_judge_is_judged_by_the_service(house, client):
    house.servicer.answer = InvalidArgument.of("id", "must be a UUID")
    answer = await client.get("/appointments/not%2Fa%20uuid")
    assert house.servicer.requests[0].id == "not/a uuid"
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["violations"] == [{"field": "id", "description": "must be a UUID"}]
    assert answer.json()["instance"] == "/appointments/not%2Fa%20uuid"


async def test_a_refusal_comes_with_its_reason_and_alternatives(house, client):
    house.servicer.answer = Taken("this time has just been taken")
    answer = await client.post("/appointments/book", json=BOOKING)
    body = answer.json()
    assert (answer.status_code, body["reason"], body["title"]) == (409, "SLOT_TAKEN", "Slot taken")
    assert body["alternatives"][0]["doctor_id"] == "d2"
    assert len(body["trace_id"]) == 32


async def test_a_reused_key_is_422_and_an_overload_says_when_to_come_again(house, client):
    house.servicer.answer = IdempotencyKeyReused("used before")
    assert (await client.post("/appointments/book", json=BOOKING)).status_code == 422
    house.servicer.answer = Overloaded("too much")
    answer = await client.post("/appointments/book", json=BOOKING)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_bug_in_a_service_is_500_without_its_text(house, client):
    house.servicer.answer = RuntimeError("Jane Doe")
    answer = await client.post("/appointments/book", json=BOOKING)
    assert (answer.status_code, answer.json()["reason"]) == (500, "INTERNAL")
    assert "Jane" not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"patient_id": "p"', None),
        (b'{"patient": "p"}', "patient"),
        (b'{"duration_minutes": "20"}', "duration_minutes"),
        (b'{"duration_minutes": 20.0}', "duration_minutes"),
        (b'{"duration_minutes": NaN}', "duration_minutes"),
        (b'{"appointment_date": "2025-02-30T10:00:00Z"}', "appointment_date"),
        (b'{"appointment_type": 3}', "appointment_type"),
        (b'{"patient_id": "a", "patient_id": "b"}', "patient_id"),
        (b'{"patient_id": ' + b"[" * 1000, "patient_id"),
        (b"[]", None),
    ],
)
async def test_a_bad_body_is_400_by_its_field_and_never_reaches_the_service(house, client, body, field):
    answer = await client.post("/appointments/book", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert [v["field"] for v in answer.json().get("violations", [])] == ([field] if field else [])
    assert house.servicer.requests == []


async def test_query_parameters_reach_the_service_and_bad_ones_are_named(house, client):
    house.servicer.answer = appointment_service_pb2.ListAppointmentsResponse()
    answer = await client.get("/appointments", params={"status": "confirmed", "from": "2025-06-18T00:00:00+02:00"})
    assert answer.json() == {"appointments": [], "next_page_token": ""}
    asked = house.servicer.requests[0]
    assert (asked.status, asked.from_time.seconds) == (3, 1_750_197_600)
    refused = await client.get("/appointments", params={"page_size": "many"})
    assert refused.json()["violations"][0]["field"] == "page_size"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Bearer"),
        ({"authorization": "Basic abc"}, "Bearer"),
        ({"authorization": "Bearer "}, "Bearer"),
        ({"authorization": "Bearer not.a.token"}, "not valid"),
        ({"authorization": f"Bearer {Issuer('other').token()}"}, "unknown key"),
        ({"authorization": f"Bearer {Issuer('good').token()}"}, "not valid"),
    ],
    ids=["none", "basic", "empty", "garbage", "foreign key id", "foreign key under a known id"],
)
async def test_without_a_good_token_nothing_is_read_or_called(house, headers, detail):
    async with house.client() as client:
        del client.headers["authorization"]
        answer = await client.post("/appointments/book", content=b"{", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert detail in answer.json()["detail"]
    assert house.servicer.requests == []


async def test_an_expired_token_or_one_for_somebody_else_is_401(house, client):
    for token in (house.issuer.token(lives=-60), house.issuer.token(audience="other")):
        answer = await client.get("/appointments/a", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("size", [BODY_BYTES + 1, 1_000_000])
async def test_a_body_over_the_limit_is_413(house, client, size):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(0, size, 1000):
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    known = await client.post("/appointments/book", content=b" " * size, headers=headers)
    streamed = await client.post("/appointments/book", content=chunks(), headers=headers)
    assert [known.status_code, streamed.status_code] == [413, 413]
    assert known.json()["reason"] == "BODY_TOO_LARGE"
    assert house.servicer.requests == []


async def test_a_body_at_the_limit_is_read(client):
    body = b"{}" + b" " * (BODY_BYTES - 2)
    answer = await client.post("/appointments/book", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200


async def test_a_body_that_is_not_json_by_type_is_415(client):
    for headers in (
        {"content-type": "text/plain"},
        {},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ):
        answer = await client.post("/appointments/book", content=b"{}", headers=headers)
        assert answer.status_code == 415


async def test_an_empty_body_is_an_empty_request_and_a_get_takes_none(house, client):
    assert (await client.post("/appointments/book")).status_code == 200
    assert house.servicer.requests[0] == appointment_service_pb2.BookRequest()
    assert (await client.request("GET", "/appointments/a", content=b"{}")).status_code == 400


async def test_unknown_paths_are_404_and_other_methods_405(client):
    unknown = await client.get("/nothing")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "ROUTE_NOT_FOUND")
    wrong = await client.delete("/appointments/smart-book")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert (await client.post("/healthz")).headers["allow"] == "GET"


async def test_headers_over_the_limit_are_431(client):
    assert (await client.get("/appointments/a", headers={"x-long": "a" * 9000})).status_code == 431


async def test_readiness_follows_the_services_and_life_does_not(house, client):
    assert (await client.get("/readyz")).json() == {
        "status": "ready",
        "missing": [],
        "upstreams": {"telemed.appointment.v1": "SERVING"},
    }
    house.health.say(serving=False)
    for _ in range(100):
        gone = await client.get("/readyz")
        if gone.status_code == 503:
            break
    assert (gone.status_code, gone.json()["status"]) == (503, "not ready")
    assert gone.json()["missing"] == ["telemed.appointment.v1"]
    assert (await client.get("/healthz")).status_code == 200
    refused = await client.post("/appointments/book", json=BOOKING)
    assert (refused.status_code, refused.json()["reason"], refused.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    assert "127.0.0.1" not in refused.text


async def test_the_first_page_lists_the_routes_without_a_token(house):
    async with house.client() as client:
        del client.headers["authorization"]
        routes = (await client.get("/")).json()["routes"]
    assert {
        "method": "POST",
        "path": "/appointments/smart-book",
        "rpc": "telemed.appointment.v1.AppointmentService.SmartBook",
        "streams": False,
    } in routes


async def test_a_service_without_an_upstream_stops_the_start():
    upstreams = Upstreams({"telemed.doctor.v1": "localhost:1", "telemed.app": "localhost:1"})
    with pytest.raises(ValueError, match=r"no upstream is configured for telemed\.appointment\.v1\."):
        upstreams.client_for(SERVICE)
    await upstreams.close()
