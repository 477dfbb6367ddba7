"""The route table: which RPC answers a path, and which annotations stop the start."""

import pytest
from gateway_contract import SHELVES, compile_contract
from google.protobuf import descriptor_pool

from gateway.codec.errors import BadValue
from gateway.discovery import installed_services
from gateway.routes import RouteTable, bindings_of
from gateway.templates import parse_template

TABLE = RouteTable((binding, binding) for binding in bindings_of(SHELVES))
CLINIC = RouteTable((binding, binding) for service in installed_services("telemed") for binding in bindings_of(service))


def matched(verb: str, path: str) -> tuple[str, dict[str, str]]:
    found = TABLE.find(path)
    assert found is not None
    binding = found.targets[verb]
    return binding.method.name, {v.field: found.text_of(v) for v in binding.template.variables}


@pytest.mark.parametrize(
    ("verb", "path", "rpc", "variables"),
    [
        ("GET", "/shelves/a/books/7", "GetBook", {"text": "a", "small_int": "7"}),
        ("GET", "/api/shelves/a/books/7", "GetBook", {"text": "a", "small_int": "7"}),
        ("GET", "/books/x", "GetBook", {"child.text": "x"}),
        ("GET", "/shelves/a/books/search", "SearchBooks", {"text": "a"}),
        ("GET", "/shelves/search/books/search", "SearchBooks", {"text": "search"}),
        ("GET", "/files/a/b%20c/d%2Fe", "ReadFile", {"text": "a/b c/d%2Fe"}),
        ("GET", "/files", "ReadFile", {"text": ""}),
        ("GET", "/files/", "ReadFile", {"text": ""}),
        ("GET", "/star/x/a", "ReadStar", {"text": "a"}),
        ("GET", "/star/x/a/b/c", "ReadStar", {"text": "a"}),
        ("GET", "/deep/rooms/1/shelves/a/b:read", "ReadDeep", {"child.child.text": "rooms/1/shelves/a/b"}),
        ("GET", "/deep/rooms/1/shelves:read", "ReadDeep", {"child.child.text": "rooms/1/shelves"}),
        ("GET", "/pages/public/x", "ReadPage", {"text": "public/x"}),
        ("GET", "/shelves/a%2Fb%C3%A9/books/7", "GetBook", {"text": "a/b\u00e9", "small_int": "7"}),
        ("POST", "/books/x:archive", "ArchiveBook", {"child.text": "x"}),
        ("POST", "/books/x:y:archive", "ArchiveBook", {"child.text": "x:y"}),
        ("GET", "/books/x:other", "GetBook", {"child.text": "x:other"}),
        ("GET", "/books/x%3Aarchive", "GetBook", {"child.text": "x:archive"}),
        ("PUT", "/shelves/a/child", "PutChild", {"text": "a"}),
        ("PATCH", "/shelves/a", "PatchShelf", {"text": "a"}),
        ("DELETE", "/shelves/a", "DeleteShelf", {"text": "a"}),
        ("SEARCH", "/shelves/a", "SearchShelf", {"text": "a"}),
        ("DELETE", "/shelves/*", "DeleteShelf", {"text": "*"}),
    ],
)
def test_a_path_finds_its_rpc_and_variables(verb, path, rpc, variables):
    assert matched(verb, path) == (rpc, variables)


@pytest.mark.parametrize(
    "path", ["/", "/shelves", "/shelves/", "/shelves//books/7", "/nothing", "/star", "/star/x", "/pages/x/y"]
)
def test_a_path_that_nobody_bound_is_not_found(path):
    assert TABLE.find(path) is None


def test_a_path_knows_every_method_that_it_answers():
    found = TABLE.find("/shelves/a")
    assert found is not None
    assert set(found.targets) == {"PATCH", "DELETE", "SEARCH"}


def test_a_variable_that_is_not_utf8_is_refused_by_its_name():
    found = TABLE.find("/shelves/%ff")
    assert found is not None
    with pytest.raises(BadValue) as caught:
        found.text_of(found.targets["DELETE"].template.variables[0])
    assert caught.value.path == "text"


@pytest.mark.parametrize(
    ("verb", "path", "rpc"),
    [
        ("POST", "/appointments/smart-book", "SmartBook"),
        ("GET", "/appointments/0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "GetAppointment"),
        ("GET", "/appointments/changes", "WatchChanges"),
        ("GET", "/doctors/7/availability", "GetAvailability"),
        ("POST", "/api/doctors/match", "MatchDoctors"),
    ],
)
def test_the_contract_of_the_clinic_is_routed(verb, path, rpc):
    found = CLINIC.find(path)
    assert found is not None
    assert found.targets[verb].method.name == rpc


def test_two_rpcs_on_one_route_stop_the_start():
    bindings = [(binding, binding) for binding in bindings_of(SHELVES)]
    with pytest.raises(ValueError, match="two RPCs are bound to GET /shelves"):
        RouteTable([*bindings, bindings[0]])


@pytest.mark.parametrize(
    "text", ["", "a", "/", "/a/", "/a//b", "/{a", "/{a}b", "/{A}", "/{a=}", "/**/b", "/{a}/{a}", "/a b", "/{a=b=c}"]
)
def test_a_template_outside_the_grammar_is_refused(text):
    with pytest.raises(ValueError, match=r"template|variable|segment"):
        parse_template(text)


@pytest.mark.parametrize(
    ("rpc", "says"),
    [
        ("rpc Run(M) returns (M) { option (google.api.http) = {get: '/a/{nope}'}; }", "not a field"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {get: '/a/{many}'}; }", "repeated"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {get: '/a' body: '*'}; }", "takes no body"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {post: '/a' body: 'nope'}; }", "not a field of M"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {post: '/a' response_body: 'no'}; }", "response_body"),
        ("rpc Run(stream M) returns (M) { option (google.api.http) = {post: '/a' body: '*'}; }", "stream"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {post: 'a' body: '*'}; }", "template"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {custom {kind: 'A B' path: '/a'}}; }", "no HTTP method"),
        ("rpc Run(M) returns (M) { option (google.api.http) = {body: '*'}; }", "no HTTP method"),
    ],
)
def test_an_annotation_that_cannot_be_honoured_stops_the_start(tmp_path, rpc, says):
    (tmp_path / "bad.proto").write_text(
        'syntax = "proto3"; package bad; import "google/api/annotations.proto";'
        f"message M {{ string text = 1; repeated string many = 2; }} service S {{ {rpc} }}"
    )
    pool = descriptor_pool.DescriptorPool()
    for name in ("google/protobuf/descriptor.proto", "google/api/http.proto", "google/api/annotations.proto"):
        pool.AddSerializedFile(descriptor_pool.Default().FindFileByName(name).serialized_pb)
    pool.Add(compile_contract(tmp_path, "bad.proto"))
    with pytest.raises(ValueError, match=says):
        list(bindings_of(pool.FindServiceByName("bad.S")))
