"""The same requests through the gateway and through Envoy's transcoder: where they part, a line says so and why."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
import pytest_asyncio
from transcoding_harness import FAILS, Pair, open_pair

ROOT = Path(__file__).parent.parent.parent
CASES = Path(__file__).with_name("transcoding_cases.txt")
SAME = "the same"
ARCHIVE = "POST /books/x:archive"


@dataclass(frozen=True)
class Section:
    """One way to differ (or none), the sentence that explains it, and the requests that show it."""

    name: str
    why: str
    cases: list[tuple[int, int, str, str]]


def sections() -> dict[str, Section]:
    """The table: statuses of ours and of Envoy's, the request line, the body."""
    found: dict[str, Section] = {}
    for line in CASES.read_text().splitlines():
        if line.startswith("== "):
            name, _, why = line.removeprefix("== ").partition(": ")
            section = found[name] = Section(name, why, [])
        elif line and not line.startswith("#"):
            status, rest = line.split(" ", 1)
            envoy, rest = (status, rest) if section.name == SAME else rest.split(" ", 1)
            verb, target, *body = rest.split(" ", 2)
            section.cases.append((int(status), int(envoy), f"{verb} {target}", body[0] if body else ""))
    return found


SECTIONS = sections()


@pytest_asyncio.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with open_pair(tmp_path_factory.mktemp("pair")) as found:
        yield found


async def faults_of(pair: Pair, section: Section) -> AsyncIterator[str]:
    """What the table says and is not so."""
    for ours, envoys, line, body in section.cases:
        here = await pair.ask(pair.gateway, line, body, {})
        there = await pair.ask(pair.envoy, line, body, {})
        request = f"{line} {body}"
        if (here.status, there.status) != (ours, envoys):
            yield f"{request}: {here.status} and {there.status}, not {ours} and {envoys}"
        elif ((here.status, here.received) == (there.status, there.received)) != (section.name == SAME):
            yield f"{request}: {here.received} here, {there.received} there"


@pytest.mark.parametrize("name", SECTIONS)
async def test_requests_differ_only_where_the_table_says(pair: Pair, name: str):
    assert SECTIONS[name].cases
    assert [fault async for fault in faults_of(pair, SECTIONS[name])] == []


async def test_more_than_a_hundred_parameters_are_read_by_envoy_alone(pair: Pair):
    line = "GET /shelves/a/books/search?" + "&".join(f"texts={n}" for n in range(101))
    assert [(await pair.ask(port, line, "", {})).status for port in (pair.gateway, pair.envoy)] == [400, 200]


def test_every_difference_is_explained_on_the_page():
    page = (ROOT / "docs" / "transcoding.md").read_text()
    assert [name for name, section in SECTIONS.items() if section.name != SAME and section.why not in page] == []


@pytest.mark.parametrize("code", [code.name for code in grpc.StatusCode if code.name != "OK"])
async def test_both_map_a_refusal_to_the_same_status(pair: Pair, code: str):
    line = f"DELETE /shelves/{FAILS}{code}"
    here, there = [await pair.ask(port, line, "", {}) for port in (pair.gateway, pair.envoy)]
    assert here.status == there.status
    assert here.headers["content-type"] == "application/problem+json"
    assert orjson.loads(here.answer)["reason"] == code


@pytest.mark.parametrize(
    ("headers", "ours", "says"),
    [
        ({"Idempotency-Key": "k"}, 200, 'request_id: "k"'),
        ({"Content-Type": "text/plain"}, 415, None),
        ({"Content-Encoding": "gzip"}, 415, None),
    ],
    ids=["idempotency key", "type of the body", "coding of the body"],
)
async def test_headers_that_the_gateway_alone_understands(pair: Pair, headers: dict[str, str], ours: int, says: str):
    here, there = [await pair.ask(port, ARCHIVE, "{}", headers) for port in (pair.gateway, pair.envoy)]
    assert (here.status, there.status) == (ours, 200)
    assert (says in here.received) if says else here.received is None
    assert there.received == 'child {\n  text: "x"\n}\n'


def as_written_here(value: Any) -> Any:
    """Envoy's JSON with the enum names and field masks that the gateway writes."""
    if isinstance(value, dict):
        return {name: as_written_here(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_written_here(item) for item in value]
    names = {"COVER_COLOUR_UNSPECIFIED": "Unspecified", "COVER_COLOUR_DARK_RED": "DarkRed", "COVER_COLOUR_BLUE": "Blue"}
    return {**names, "flag,childrenByName": "flag,children_by_name"}.get(value, value) if type(value) is str else value


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"small_int": -3, "big_int": "9007199254740993", "small_uint": 4294967295, "big_uint": 18446744073709551615}',
        '{"small_sint": -1, "big_fixed": 5, "flag": true, "data": "_-8=", "maybe_text": "", "maybe_flag": false}',
        '{"text": "\\u00e9<>&\\u2028\\u0001\\u007f\\"\\\\/"}',
        '{"single": 0.1, "number": 1e300}',
        '{"single": 16777216, "number": 0.1}',
        '{"number": 1e21}',
        '{"number": 123456789}',
        '{"number": -0.0}',
        '{"number": 5e-324}',
        '{"colour": "COVER_COLOUR_BLUE", "colours": ["COVER_COLOUR_DARK_RED"]}',
        '{"texts": ["a"], "children": [{"flag": true}], "counts": {"a": 1}, "by_flag": {"true": {}}}',
        '{"moments_by_number": {"1": "1970-01-01T00:00:01Z"}}',
        '{"first_choice": "a"}',
        '{"second_choice": 0}',
        '{"moment": "2025-06-18T09:00:00.1234Z", "length": "-1.5s", "moments": ["1970-01-01T00:00:01Z"]}',
        '{"from": "2025-06-18T09:00:00+02:00"}',
        '{"mask": "flag,childrenByName"}',
        '{"document": {"a": [1, 1.5, null, true, {"b": "c"}]}}',
        '{"anything": null}',
        '{"anything": [1]}',
        '{"wrapped_int": 0}',
        '{"wrapped_int": 9, "wrapped_text": ""}',
    ],
)
async def test_answers_are_the_same_but_for_the_names_of_enums_and_masks(pair: Pair, body: str):
    here, there = [await pair.ask(port, ARCHIVE, body, {}) for port in (pair.gateway, pair.envoy)]
    assert here.json == as_written_here(there.json)


async def test_a_date_and_a_time_of_day_are_texts_here_and_objects_there(pair: Pair):
    here = await pair.ask(pair.gateway, ARCHIVE, '{"day": "2025-06-18", "wall": "09:00:30"}', {})
    body = '{"day": {"year": 2025, "month": 6, "day": 18}, "wall": {"hours": 9, "seconds": 30}}'
    there = await pair.ask(pair.envoy, ARCHIVE, body, {})
    assert here.received == there.received
    assert (here.json["day"], here.json["wall"]) == ("2025-06-18", "09:00:30")
    assert there.json["day"] == {"year": 2025, "month": 6, "day": 18}


@pytest.mark.parametrize(
    ("line", "body", "answer"),
    [
        ("POST /shelves/a/tags", '["x", "y"]', ["x", "y"]),
        ("POST /shelves/a/tags", "[]", []),
        ("PUT /shelves/a/rating", "1.5", 1.5),
        ("PUT /shelves/a/moment", '"2025-06-18T11:00:00+02:00"', "2025-06-18T09:00:00Z"),
        ("PUT /shelves/a/moment", "", None),
        ("GET /shelves/a/child", "", None),
    ],
)
async def test_a_response_body_is_the_answer_which_envoy_cannot_do(pair: Pair, line: str, body: str, answer: Any):
    assert (await pair.ask(pair.gateway, line, body, {})).json == answer


def events(text: bytes) -> list[tuple[str | None, Any]]:
    """Id and data of each event; comments are left out."""
    blocks = [block.split("\n") for block in text.decode().split("\n\n") if "data: " in block]
    pairs = [dict(line.split(": ", 1) for line in lines) for lines in blocks]
    return [(pair.get("id"), orjson.loads(pair["data"])) for pair in pairs]


async def test_a_stream_is_the_same_events_with_ids_that_envoy_does_not_write(pair: Pair):
    here, there = [await pair.ask(port, "GET /shelves/a/watch", "", {}) for port in (pair.gateway, pair.envoy)]
    assert [event for _, event in events(here.answer)] == [as_written_here(event) for _, event in events(there.answer)]
    assert [event_id for event_id, _ in events(here.answer)] == ["1", "2", "3"]
    assert {event_id for event_id, _ in events(there.answer)} == {None}


async def test_a_stream_goes_on_behind_the_last_event_that_the_client_saw(pair: Pair):
    resumed = await pair.ask(pair.gateway, "GET /shelves/a/watch", "", {"Last-Event-ID": "2"})
    assert [event_id for event_id, _ in events(resumed.answer)] == ["3"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "SEARCH"])
async def test_a_route_for_every_method_answers_what_no_other_does(pair: Pair, method: str):
    outcomes = [await pair.ask(port, f"{method} /any/a", "", {}) for port in (pair.gateway, pair.envoy)]
    assert [outcome.received for outcome in outcomes] == ['text: "a"\nchild {\n}\n'] * 2
    own = [await pair.ask(port, "DELETE /any/a", "", {}) for port in (pair.gateway, pair.envoy)]
    assert [outcome.received for outcome in own] == ['text: "a"\n'] * 2
