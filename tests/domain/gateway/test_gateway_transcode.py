"""Path, query, headers and body into one request, and what happens when they disagree."""

import pytest
from gateway_contract import SHELVES

from gateway.codec.decode import Decoder
from gateway.codec.encode import Encoder
from gateway.codec.errors import BadValue
from gateway.discovery import installed_services
from gateway.routes import RouteTable, bindings_of
from gateway.transcode import Transcoder, path_to

ENCODER, DECODER = Encoder(), Decoder()
SERVICES = [SHELVES, *installed_services("telemed")]
TABLE = RouteTable(
    (binding, Transcoder(binding, ENCODER, DECODER)) for service in SERVICES for binding in bindings_of(service)
)


def request_of(line: str, body: bytes = b"", **headers: str):
    verb, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    found = TABLE.find(path)
    assert found is not None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return found.targets[verb].request(found, query, named, body)


def refused(line: str, body: bytes = b"", **headers: str) -> BadValue:
    with pytest.raises(BadValue) as caught:
        request_of(line, body, **headers)
    return caught.value


def test_query_parameters_of_every_kind_are_read():
    request = request_of(
        "GET /shelves/a/books/search?small_int=-3&bigInt=5&flag=true&number=1.5e3&colour=blue&texts=x&texts=y%20z"
        "&child.child.text=deep&day=2025-06-18&from=2025-06-18T09:00:00%2B02:00&wrapped_int=9&moments="
        "1970-01-01T00:00:01Z&moments=1970-01-01T00:00:02Z&wall=09:00&maybe_text="
    )
    assert (request.text, request.small_int, request.big_int, request.flag, request.number) == ("a", -3, 5, True, 1500)
    assert (request.colour, list(request.texts), request.child.child.text) == (2, ["x", "y z"], "deep")
    assert (request.day.day, request.from_moment.seconds, request.wrapped_int.value) == (18, 1_750_230_000, 9)
    assert [moment.seconds for moment in request.moments] == [1, 2]
    assert request.wall.hours == 9
    assert request.HasField("maybe_text")


@pytest.mark.parametrize(
    ("query", "path", "says"),
    [
        ("nope=1", "nope", "not a field"),
        ("child=1", "child", "not a field"),
        ("child.nope=1", "child.nope", "not a field"),
        ("texts.a=1", "texts.a", "not a field"),
        ("counts=1", "counts", "not a field"),
        ("document=1", "document", "not a field"),
        ("small_int=1&small_int=2", "small_int", "given twice"),
        ("small_int=1&smallInt=1", "smallInt", "given twice"),
        ("small_int=1.0", "small_int", "whole number"),
        ("small_int=", "small_int", "whole number"),
        ("small_int=99999999999", "small_int", "between"),
        ("small_int=\u0661", "small_int", "whole number"),
        ("number=NaN", "number", "number"),
        ("number=1_0", "number", "number"),
        ("number=1e999", "number", "finite"),
        ("flag=1", "flag", "true or false"),
        ("colour=7", "colour", "must be one of"),
        ("day=today", "day", "2025-06-18"),
        ("texts=a&texts=%00", "texts", "U+0000"),
        ("text=other", "text", "must equal the one in the path"),
        ("&".join(f"texts={n}" for n in range(101)), "", "more than 100"),
        ("text=%ff", "", "UTF-8"),
    ],
)
def test_a_bad_query_parameter_is_refused_by_its_name(query, path, says):
    error = refused(f"GET /shelves/a/books/search?{query}")
    assert error.path == path
    assert says in error.description


def test_a_path_variable_of_the_wrong_type_is_refused_by_its_field():
    assert refused("GET /shelves/a/books/seven").path == "small_int"


def test_a_body_may_repeat_the_path_but_not_contradict_it():
    assert request_of("PATCH /shelves/a", b'{"text": "a", "flag": true}').flag
    assert refused("PATCH /shelves/a", b'{"text": "b"}').path == "text"


def test_a_body_that_stands_for_one_field_is_read_into_it_and_named_from_inside():
    request = request_of("PUT /shelves/a/child?flag=true", b'{"small_int": 3}')
    assert (request.child.small_int, request.flag) == (3, True)
    assert request_of("PUT /shelves/a/child").HasField("child")
    assert refused("PUT /shelves/a/child", b'{"small_int": "3"}').path == "small_int"
    assert refused("PUT /shelves/a/child?child.flag=true").path == "child.flag"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b"", []),
        (b"{}", []),
        (b'{"text": "a"}', []),
        (b'{"flag": false, "bigInt": 3, "maybe_text": null}', ["flag", "big_int", "maybe_text"]),
        (b'{"child": {"flag": true, "child": {"smallInt": 1}}}', ["child.flag", "child.child.small_int"]),
        (b'{"child": {}}', ["child"]),
        (b'{"texts": [], "children": [{"flag": true}], "counts": {"a": 1}}', ["texts", "children", "counts"]),
        (b'{"day": "2025-06-18", "document": {"a": 1}, "wrappedInt": 0}', ["day", "document", "wrapped_int"]),
    ],
)
def test_a_patch_without_a_mask_changes_what_its_body_names(body, paths):
    request = request_of("PATCH /children/a", body)
    assert list(request.mask.paths) == paths
    assert request.child.text == "a"


def test_a_patch_with_a_mask_keeps_to_it():
    request = request_of("PATCH /children/a?mask=flag,childrenByName.smallInt", b'{"number": 1}')
    assert list(request.mask.paths) == ["flag", "children_by_name.small_int"]


def test_a_patch_of_one_thing_with_the_name_of_another_is_refused():
    assert refused("PATCH /children/a", b'{"text": "b"}').path == "child.text"


def test_only_a_patch_of_a_field_infers_a_mask():
    assert not request_of("PUT /shelves/a/child", b'{"flag": true}').HasField("mask")
    assert not request_of("PATCH /shelves/a", b'{"flag": true}').HasField("mask")


def test_the_rule_of_the_contract_is_read_from_the_body_alone():
    request = request_of("POST /doctors/d/availability", b'{"day_of_week": 1, "morning_start_time": "09:00"}')
    assert (request.doctor_id, request.rule.day_of_week, request.rule.morning_start_time.hours) == ("d", 1, 9)


def test_a_request_whose_body_is_everything_has_no_query():
    error = refused("PATCH /shelves/a?flag=true")
    assert (error.path, "not in its query" in error.description) == ("flag", True)


def test_the_idempotency_key_becomes_the_request_id():
    assert request_of("PATCH /shelves/a", idempotency_key="k 1").request_id == "k 1"
    assert request_of("PATCH /shelves/a", b'{"request_id": "k"}', idempotency_key="k").request_id == "k"
    assert request_of("PATCH /shelves/a").request_id == ""


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\u00e9"])
def test_an_idempotency_key_that_is_not_printable_or_too_long_is_refused(key):
    assert refused("PATCH /shelves/a", idempotency_key=key).path == "Idempotency-Key"


def test_an_idempotency_key_that_contradicts_the_body_is_refused():
    assert refused("PATCH /shelves/a", b'{"request_id": "a"}', idempotency_key="b").path == "request_id"


def test_the_last_event_id_replaces_the_revision_of_the_first_url():
    request = request_of("GET /appointments/changes?after_revision=3", last_event_id="7")
    assert request.after_revision == "7"


def test_the_event_id_is_the_revision_of_the_message_or_of_its_only_part_that_has_one():
    by_name = {method.name: method for service in SERVICES for method in service.methods}
    assert path_to("revision", by_name["SmartBook"].output_type) == ("revision",)
    assert path_to("revision", by_name["WatchChanges"].output_type) == ("change", "revision")
    assert path_to("revision", by_name["GetSession"].output_type) == ()
    assert path_to("seq", by_name["WatchSession"].output_type) == ("seq",)
