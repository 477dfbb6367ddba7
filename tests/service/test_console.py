"""The console of a demo: it takes spans in both writings and never too many, finds traces, and adds them up."""

import gzip
import time
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from stack.console.receive import MOST_BYTES
from stack.console.store import MOST_SPANS_A_TRACE, Store
from tests.fix_console import PROTOBUF, ConsoleBench, Telling, console_bench

JSON = {"content-type": "application/json"}
TREE = [
    "gateway SERVER POST /appointments/book",
    "  gateway CLIENT telemed.appointment.v1.AppointmentService/Book",
    "    appointment SERVER telemed.appointment.v1.AppointmentService/Book",
    "      appointment CLIENT telemed.doctor.v1.DoctorService/MatchDoctors",
    "        doctor SERVER telemed.doctor.v1.DoctorService/MatchDoctors",
    "      appointment CLIENT book",
]


@pytest.fixture
def telling() -> Telling:
    return Telling(time.time_ns() - 5_000_000_000)


def as_json(telling: Telling) -> dict[str, Any]:
    """The request as OTLP writes it in JSON: ids in hexadecimal, enums as numbers."""
    told: dict[str, Any] = MessageToDict(telling.request, use_integers_for_enums=True)
    spans = [s for r in told["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
    sent = [s for r in telling.request.resource_spans for scope in r.scope_spans for s in scope.spans]
    for written, span in zip(spans, sent, strict=True):
        written |= {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
        written["parentSpanId"] = span.parent_span_id.hex()
        for link, linked in zip(written.get("links", []), span.links, strict=True):
            link |= {"traceId": linked.trace_id.hex(), "spanId": linked.span_id.hex()}
    return told


async def test_spans_arrive_as_protobuf(console: ConsoleBench, telling: Telling):
    answer = await console.http.post("/v1/traces", content=telling.booking().body, headers=PROTOBUF)
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert (await console.get(f"traces/{1:032x}"))["tree"] == TREE


async def test_spans_arrive_as_json(console: ConsoleBench, telling: Telling):
    answer = await console.http.post("/v1/traces", json=as_json(telling.booking()))
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await console.get(f"traces/{1:032x}"))["tree"] == TREE
    (copy,) = (await console.get(f"traces/{100_001:032x}"))["all"]
    assert copy["links"] == [{"trace_id": f"{1:032x}", "span_id": f"{3:016x}"}]


async def test_spans_arrive_compressed(console: ConsoleBench, telling: Telling):
    headers = {**PROTOBUF, "content-encoding": "gzip"}
    answer = await console.http.post("/v1/traces", content=gzip.compress(telling.booking().body), headers=headers)
    assert answer.status_code == 200
    assert len(console.store) == 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff not protobuf", PROTOBUF, 400),
        (b"{", JSON, 400),
        (b"[1]", JSON, 400),
        (b'{"resourceSpans": 1}', JSON, 400),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', JSON, 400),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}', JSON, 400),
        (b"x", {**PROTOBUF, "content-encoding": "gzip"}, 400),
        (gzip.compress(b"x" * 100)[:-9], {**PROTOBUF, "content-encoding": "gzip"}, 400),
        (gzip.compress(b"\0" * (MOST_BYTES + 1)), {**PROTOBUF, "content-encoding": "gzip"}, 413),
        (b"", {**PROTOBUF, "content-encoding": "br"}, 415),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"\0" * (MOST_BYTES + 1), PROTOBUF, 413),
    ],
    ids=[
        "not protobuf",
        "half an object",
        "a list",
        "a number for a list",
        "an id that is none",
        "a number for a name",
        "not gzip",
        "half of it",
        "a bomb",
        "another coding",
        "another type",
        "too large",
    ],
)
async def test_what_is_no_export_request_or_too_large_is_refused(
    console: ConsoleBench, body: bytes, headers: dict[str, str], status: int
):
    answer = await console.http.post("/v1/traces", content=body, headers=headers)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert console.store.received == 0


async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(console: ConsoleBench):
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 100 * MOST_BYTES:
            read += 1024 * 1024
            yield b"\0" * 1024 * 1024

    answer = await console.http.post("/v1/traces", content=endless(), headers=PROTOBUF)
    assert (answer.status_code, read <= 2 * MOST_BYTES) == (413, True)


async def test_spans_without_good_ids_are_left_out_and_long_texts_are_cut(console: ConsoleBench, telling: Telling):
    telling.span("gateway", "n" * 10_000, note="x" * 10_000)
    telling.span("gateway", "no id", trace=2).request.resource_spans[-1].scope_spans[0].spans[0].trace_id = b"short"
    await console.send(telling)
    (span,) = (await console.get(f"traces/{1:032x}"))["all"]
    assert (len(span["name"]), len(span["attributes"]["note"])) == (2_049, 2_049)
    assert console.store.spans == 1


async def test_the_oldest_traces_go_whole_when_the_store_is_full(telling: Telling):
    async with console_bench(Store(most_spans=20)) as console:
        for number in range(1, 6):
            await console.send(Telling(telling.now).booking(number))
        assert await console.ids(service="gateway") == [5, 4]
        assert await console.ids(trace_id=f"{100_003:032x}") == [100_003]  # the copy of the booking before
        told = await console.get("store")
    assert (told["spans"], told["received"], told["forgotten"]) == (15, 35, 20)


async def test_a_trace_without_end_does_not_push_out_the_others(console: ConsoleBench, telling: Telling):
    await console.send(Telling(telling.now).booking(2))
    for number in range(1, MOST_SPANS_A_TRACE + 11):
        telling.span("gateway", "again", span=number)
    await console.send(telling)
    found = await console.get(f"traces/{1:032x}")
    assert (found["spans"], found["dropped"]) == (MOST_SPANS_A_TRACE, 10)
    assert 2 in await console.ids()


async def test_a_span_whose_parent_has_not_come_is_an_orphan(console: ConsoleBench, telling: Telling):
    await console.send(telling.span("doctor", "late", span=7, parent=6).span("gateway", "root", span=1))
    assert (await console.get(f"traces/{1:032x}"))["orphans"] == [f"{7:016x}"]


async def test_spans_that_call_each_other_parent_are_shown_and_do_no_harm(console: ConsoleBench, telling: Telling):
    await console.send(telling.span("a", "one", span=1, parent=2).span("a", "two", span=2, parent=1))
    assert (await console.get(f"traces/{1:032x}"))["spans"] == 2
    assert await console.ids() == [1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 100_002, 2, 100_001, 1]),
        ({"service": "gateway"}, [3, 2, 1]),
        ({"name": "BOOK"}, [2, 1]),
        ({"name": "readyz"}, [3]),
        ({"status": "error"}, [2]),
        ({"status": "ok"}, [3, 100_002, 100_001, 1]),
        ({"status": "ok", "service": "gateway"}, [3, 1]),
        ({"min_ms": 30}, [2, 1]),
        ({"max_ms": 4}, [3]),
        ({"attribute": "error.type=INTERNAL"}, [2]),
        ({"attribute": "error.type"}, [2]),
        ({"attribute": "error.type=OTHER"}, []),
        ({"attribute": "http.response.status_code=200"}, [3]),
        ({"service": "doctor", "attribute": "error.type"}, []),
        ({"trace_id": f"{3:032X}"}, [3]),
        ({"trace_id": f"{9:032x}"}, []),
        ({"limit": 2}, [3, 100_002]),
    ],
    ids=str,
)
async def test_traces_are_found_by_what_they_are(
    console: ConsoleBench, telling: Telling, query: dict[str, Any], expected: list[int]
):
    telling.booking(1).booking(2, error=True)
    telling.span("gateway", "GET /readyz", trace=3, takes=2, http__response__status_code=200)
    await console.send(telling)
    assert await console.ids(**query) == expected


@pytest.mark.parametrize(
    "query",
    ["status=maybe", "min_ms=fast", "max_ms=-1", "min_ms=nan", "limit=0", "limit=501", "sevrice=gateway"],
)
async def test_a_search_that_makes_no_sense_is_told_so(console: ConsoleBench, query: str):
    answer = await console.http.get(f"/ops/api/traces?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]


async def test_the_map_tells_who_calls_whom_and_what_only_follows(console: ConsoleBench, telling: Telling):
    await console.send(telling.booking(1).booking(2, at=1_000, error=True))
    told = await console.get("map")
    edges = {(edge["from"], edge["to"], edge["linked"]): (edge["count"], edge["errors"]) for edge in told["edges"]}
    assert edges == {
        ("gateway", "appointment", False): (2, 1),
        ("appointment", "doctor", False): (2, 0),
        ("appointment", "telemed_appointment", False): (2, 0),
        ("appointment", "doctor", True): (2, 0),
    }
    nodes = {node["name"]: (node["kind"], node["count"], node["errors"]) for node in told["nodes"]}
    assert nodes == {
        "gateway": ("service", 2, 1),
        "appointment": ("service", 2, 1),
        "doctor": ("service", 4, 0),
        "telemed_appointment": ("database", 2, 0),
    }


async def test_only_what_is_recent_is_added_up(console: ConsoleBench, telling: Telling):
    await console.send(Telling(telling.now - 3_600 * 1_000_000_000).booking(1))
    await console.send(telling.booking(2))
    assert (await console.get("map"))["edges"][0]["count"] == 1
    assert (await console.get("map", window_seconds=7_200))["edges"][0]["count"] == 2
    assert (await console.http.get("/ops/api/map?window_seconds=x")).status_code == 400


async def test_statements_are_told_with_their_text_and_the_slowest_trace(console: ConsoleBench, telling: Telling):
    slow = {"kind": "CLIENT", "db__system__name": "postgresql", "db__query__summary": "book", "trace": 7}
    telling.booking(1).span("appointment", "book", takes=90, **slow)  # type: ignore[arg-type]
    await console.send(telling)
    (book,) = (await console.get("statements"))["statements"]
    assert (book["service"], book["statement"], book["count"], book["max_ms"]) == ("appointment", "book", 2, 90)
    assert book["slowest_trace_id"] == f"{7:032x}"


async def test_a_page_from_elsewhere_that_had_its_name_point_here_is_refused(console: ConsoleBench):
    for host, status in (("evil.example:3008", 421), ("localhost:3008", 200), ("127.0.0.1:3008", 200)):
        answer = await console.http.get("/ops/", headers={"host": host})
        assert answer.status_code == status, host


async def test_the_page_and_its_parts_come_with_a_policy_that_lets_nothing_else_in(console: ConsoleBench):
    assert (await console.http.get("/ops")).headers["location"] == "/ops/"
    for name in ("", "main.js", "console.css"):
        answer = await console.http.get(f"/ops/{name}")
        assert answer.status_code == 200, name
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in ("/nothing", "/ops/nothing.js", "/ops/../__main__.py", "/ops/api/nothing", f"/ops/api/traces/{9:032x}"):
        assert (await console.http.get(path)).status_code == 404, path
    assert (await console.http.post("/ops/")).status_code == 405
    assert (await console.http.get("/v1/traces")).status_code == 405
