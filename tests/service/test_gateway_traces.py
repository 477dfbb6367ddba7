"""What a request leaves in a trace: whose trace it is, what failed, and nothing of whom it was about."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import House, open_house
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from telemed.appointment.v1 import appointment_service_pb2

from kernel.errors import InvalidArgument
from tests.fix_services import until
from tests.fix_spans import Spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
BROWSER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
SERVICE = "telemed.appointment.v1.AppointmentService"
STREAM = "/appointments/changes"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as found:
        found.servicer.answer = appointment_service_pb2.BookResponse(revision="r")
        yield found


@pytest_asyncio.fixture
async def trusting_house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, continues_traces=True) as found:
        found.servicer.answer = appointment_service_pb2.BookResponse(revision="r")
        yield found


def by_kind(spans: Spans) -> dict[str, ReadableSpan]:
    names = {SpanKind.CLIENT: "client", SpanKind.SERVER: "server"}
    return {
        "http" if "http.request.method" in (span.attributes or {}) else names[span.kind]: span for span in spans.all()
    }


async def test_a_trusted_callers_request_is_one_trace_from_the_browser_to_the_service(
    trusting_house: House, spans: Spans
):
    async with trusting_house.client() as client:
        await client.post("/api/appointments/book", json={}, headers=BROWSER)
    found = by_kind(spans)
    http = found["http"]
    assert http.name == "POST /appointments/book"
    assert dict(http.attributes or {}) == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/appointments/book",
        "http.response.status_code": 200,
    }
    assert http.parent is not None
    assert http.parent.span_id == int("b7ad6b7169203331", 16)
    assert found["client"].parent == http.context
    assert found["server"].parent is not None
    assert found["server"].parent.span_id == found["client"].context.span_id
    assert {span.context.trace_id for span in found.values()} == {int(TRACE, 16)}


async def test_a_strangers_request_is_a_trace_of_its_own_that_is_linked_to_theirs(house: House, spans: Spans):
    async with house.client() as client:
        await client.post("/appointments/book", json={}, headers=BROWSER)
    found = by_kind(spans)
    http = found["http"]
    assert http.parent is None
    assert [f"{link.context.trace_id:032x}" for link in http.links] == [TRACE]
    assert {span.context.trace_id for span in found.values()} == {http.context.trace_id}
    assert http.context.trace_id != int(TRACE, 16)


async def test_a_strangers_flag_does_not_keep_a_request_out_of_the_record(house: House, spans: Spans):
    async with house.client() as client:
        await client.post("/appointments/book", json={}, headers={"traceparent": BROWSER["traceparent"][:-1] + "0"})
    assert set(by_kind(spans)) == {"http", "client", "server"}


@pytest.mark.parametrize("text", ["", "00", "zz-not-one", f"00-{'0' * 32}-{'0' * 16}-01", "00-" + "a" * 4000])
async def test_nonsense_for_a_traceparent_is_passed_over(house: House, spans: Spans, text: str):
    async with house.client() as client:
        answer = await client.post("/appointments/book", json={}, headers={"traceparent": text})
    assert answer.status_code == 200
    assert not by_kind(spans)["http"].links


async def test_a_refusal_is_no_error_of_the_gateway_but_a_bug_is_and_ids_stay_out(house: House, spans: Spans):
    async with house.client() as client:
        await client.get("/appointments/a/b")
        house.servicer.answer = RuntimeError("Jane Doe")
        answer = await client.get("/appointments/0190a1b2")
    refused, bug = [span for span in spans.all() if "http.request.method" in (span.attributes or {})]
    assert (refused.name, refused.status.status_code) == ("GET", StatusCode.UNSET)
    assert (bug.name, bug.status.status_code) == ("GET /appointments/{id}", StatusCode.ERROR)
    assert (bug.attributes or {})["error.type"] == "INTERNAL"
    assert answer.json()["trace_id"] == f"{bug.context.trace_id:032x}"
    assert "0190a1b2" not in "".join(span.to_json() for span in spans.all())


@pytest.mark.parametrize(
    ("error", "status", "error_type"),
    [
        (RuntimeError("Jane Doe"), StatusCode.ERROR, "INTERNAL"),
        (InvalidArgument.of("after_revision", "must be one"), StatusCode.UNSET, None),
    ],
    ids=["the service's fault", "the caller's"],
)
async def test_a_stream_that_breaks_after_its_first_message_is_told_of_in_its_span(
    house: House, spans: Spans, error: Exception, status: StatusCode, error_type: str | None
):
    first = appointment_service_pb2.WatchChangesResponse(head_revision="9", resume_revision="1")
    house.servicer.changes = [first, error]
    async with house.served() as port, httpx.AsyncClient(headers=house.auth) as client:
        answer = await client.get(f"http://127.0.0.1:{port}{STREAM}")
        await until(lambda: "http" in by_kind(spans))
    assert (answer.status_code, "event: problem" in answer.text) == (200, True)
    http = by_kind(spans)["http"]
    assert (http.attributes or {})["http.response.status_code"] == 200
    assert (http.status.status_code, (http.attributes or {}).get("error.type")) == (status, error_type)


async def test_a_stream_whose_reader_goes_is_one_tree_and_no_error_of_ours(house: House, spans: Spans):
    house.servicer.changes = [appointment_service_pb2.WatchChangesResponse(head_revision="9", resume_revision="1")]
    house.servicer.holds_open = True
    async with house.served() as port:
        async with (
            httpx.AsyncClient(headers=house.auth) as client,
            client.stream("GET", f"http://127.0.0.1:{port}{STREAM}") as answer,
        ):
            await anext(answer.aiter_text())
        await until(lambda: set(by_kind(spans)) == {"http", "client", "server"})
    assert spans.tree() == [
        f"SERVER GET {STREAM}",
        f"  CLIENT {SERVICE}/WatchChanges",
        f"    SERVER {SERVICE}/WatchChanges",
    ]
    found = by_kind(spans)
    assert found["http"].status.status_code is StatusCode.UNSET
    assert found["server"].status.status_code is StatusCode.UNSET
    assert (found["client"].attributes or {})["rpc.response.status_code"] == "CANCELLED"


async def test_a_request_that_is_given_up_before_its_answer_leaves_a_whole_tree(house: House, spans: Spans):
    house.servicer.takes_seconds = 30
    async with house.client() as client:
        asking = asyncio.create_task(client.post("/appointments/book", json={}))
        await until(lambda: len(house.servicer.requests) == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await until(lambda: len(spans.all()) == 3)
    found = by_kind(spans)
    assert (found["http"].attributes or {})["error.type"] == "cancelled"
    codes = [(found[kind].attributes or {})["rpc.response.status_code"] for kind in ("client", "server")]
    assert codes == ["CANCELLED", "CANCELLED"]
