"""The OpenAPI document is valid, tells every route, and its examples are what the codec reads and writes."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.codec.decode import Decoder
from gateway.codec.encode import Encoder
from gateway.discovery import installed_services
from gateway.openapi.__main__ import main as print_document
from gateway.openapi.comments import comments_of
from gateway.openapi.document import document_of
from gateway.openapi.operations import path_of
from gateway.openapi.page import page_of
from gateway.openapi.reasons import reasons_of
from gateway.routes import Binding, bindings_of
from gateway.transcode import body_message

PACKAGE = "telemed"
BINDINGS = [binding for service in installed_services(PACKAGE) for binding in bindings_of(service)]
METHODS: dict[str, MethodDescriptor] = {binding.method.full_name: binding.method for binding in BINDINGS}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(BINDINGS, PACKAGE)


def schema_at(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_the_document_is_openapi_3_1(document: dict[str, Any]):
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.name)
def test_every_route_is_told_with_its_variables(document: dict[str, Any], binding: Binding):
    operation = document["paths"][path_of(binding)][binding.verb.lower()]
    told = {parameter["name"] for parameter in operation["parameters"] if parameter.get("in") == "path"}
    assert told == {variable.field.rpartition(".")[2] for variable in binding.template.variables}
    assert set(re.findall(r"{(\w+)}", path_of(binding))) == told
    assert ("requestBody" in operation) == bool(binding.body)
    assert operation["summary"].endswith(".")


def test_every_element_of_the_contract_says_what_it_is():
    comments = comments_of(PACKAGE)
    silent = []
    for method in METHODS.values():
        for message in (method.input_type, method.output_type):
            silent += [field.full_name for field in message.fields if not comments.get(field.full_name)]
            is_ours = message.full_name.startswith(f"{PACKAGE}.")
            silent += [message.full_name] if is_ours and not comments.get(message.full_name) else []
        silent += [method.full_name] if not comments.get(method.full_name) else []
    assert sorted(set(silent)) == []


def operation_of(document: dict[str, Any], binding: Binding) -> dict[str, Any]:
    return document["paths"][path_of(binding)][binding.verb.lower()]


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.name)
def test_the_example_of_a_request_is_what_the_codec_reads_and_what_the_schema_allows(
    document: dict[str, Any], binding: Binding
):
    operation = operation_of(document, binding)
    for parameter in operation["parameters"]:
        assert parameter.get("required", False) == ("example" in parameter)
    if binding.body:
        content, body = operation["requestBody"]["content"]["application/json"], body_message(binding)
        Decoder().of(body)(GetMessageClass(body)(), content["example"])
        schema_at(document, content["schema"]).validate(content["example"])


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.name)
def test_the_example_of_an_answer_is_what_the_codec_writes_and_what_the_schema_tells(
    document: dict[str, Any], binding: Binding
):
    method, answered = binding.method, operation_of(document, binding)["responses"]["200"]["content"]
    kind, content = next(iter(answered.items()))
    schema, example = content["schema"], content["example"]
    if method.server_streaming:
        assert kind == "text/event-stream"
        schema = schema["oneOf"][0]["properties"]["data"]["contentSchema"]
        example = json.loads(next(line for line in example.splitlines() if line.startswith("data: "))[6:])
    answer = GetMessageClass(method.output_type)()
    Decoder().of(method.output_type)(answer, example)
    written = Encoder().of(method.output_type)(answer)
    assert example.items() <= {**written, **_nested(example, written)}.items()
    schema_at(document, schema).validate(written)


def test_every_refusal_of_the_page_belongs_to_an_operation(document: dict[str, Any]):
    told = {
        (status, name)
        for verbs in document["paths"].values()
        for operation in verbs.values()
        for status, response in operation["responses"].items()
        for name in reasons_in(document, response)
    }
    listed = {(str(reason.status), name) for name, reason in reasons_of(PACKAGE).items()}
    # Nobody is left to read the one, and the other comes where there is no operation.
    assert listed - told == {("499", "CANCELLED"), ("405", "METHOD_NOT_ALLOWED")}
    assert told <= listed


def test_what_a_comment_lists_as_errors_are_reasons():
    known = reasons_of(PACKAGE)
    unknown = {
        (method, word)
        for method in METHODS
        for word in re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b", comments_of(PACKAGE)[method].partition("Errors:")[2])
        if word not in known
    }
    assert unknown == set()


def reasons_in(document: dict[str, Any], response: dict[str, Any]) -> set[str]:
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    problem = response["content"].get("application/problem+json")
    return set() if problem is None else set(problem["schema"]["allOf"][1]["properties"]["reason"]["enum"])


@pytest.mark.parametrize(
    ("rpc", "status", "reason"),
    [
        ("Book", "409", "SLOT_TAKEN"),
        ("HoldSlot", "409", "SLOT_TAKEN"),  # "those of Book"
        ("SubscribeTracks", "429", "MEDIA_THROTTLED"),  # "as PublishTracks"
        ("CancelAppointment", "409", "ETAG_MISMATCH"),
        ("GetAppointment", "404", "APPOINTMENT_NOT_FOUND"),
    ],
)
def test_an_operation_tells_its_own_reasons(document: dict[str, Any], rpc: str, status: str, reason: str):
    binding = next(binding for binding in BINDINGS if binding.method.name == rpc)
    assert reason in reasons_in(document, operation_of(document, binding)["responses"][status])


def test_an_example_of_a_refusal_is_a_problem(document: dict[str, Any]):
    for response in document["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        schema_at(document, content["schema"]).validate(content["example"])


def test_a_stream_that_a_browser_opens_takes_a_ticket_in_place_of_a_token(document: dict[str, Any]):
    secured = {path: verbs["get"].get("security") for path, verbs in document["paths"].items() if "get" in verbs}
    by_ticket = {path: security for path, security in secured.items() if security}
    assert by_ticket == {"/video/sessions/{session_id}/events": [{"bearer": []}, {"ticket": []}]}
    assert document["components"]["securitySchemes"]["ticket"]["name"] == "ticket"


def _nested(said: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What was written, less what the example leaves out inside of its messages."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        if isinstance(value, dict):
            kept[name] = {inner: written[name][inner] for inner in value}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            kept[name] = [{k: item[k] for k in one} for one, item in zip(value, written[name], strict=True)]
    return kept


class Headings(HTMLParser):
    """Collects the ids of a page and notices a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_tells_every_operation_in_well_formed_html_without_a_script(document: dict[str, Any]):
    text = page_of(document)
    page = Headings()
    page.feed(text)
    operations = {one["operationId"] for verbs in document["paths"].values() for one in verbs.values()}
    assert set(page.ids) == operations
    assert page.open == []
    assert "<script" not in text
    assert "`" not in text
    assert not re.search(r"(src|href)=.https?://", text)


def test_in_a_request_null_says_as_much_as_leaving_out(document: dict[str, Any]):
    body = document["paths"]["/appointments/book"]["post"]["requestBody"]["content"]["application/json"]
    schema = schema_at(document, body["schema"])
    assert schema.is_valid({**body["example"], "doctor_id": None, "override": None, "duration_minutes": None})
    assert not schema.is_valid({**body["example"], "patient_id": None})


def test_the_document_can_be_had_without_a_gateway(document: dict[str, Any], capfdbinary: pytest.CaptureFixture[bytes]):
    print_document()
    assert json.loads(capfdbinary.readouterr().out) == document


def test_the_document_holds_no_reference_that_leads_nowhere(document: dict[str, Any]):
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for step in reference.split("/"):
            found = found[step]
        assert found
