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
from gateway.openapi.comments import comments_of
from gateway.openapi.document import document_of, examples_of
from gateway.openapi.operations import path_of
from gateway.openapi.page import page_of
from gateway.routes import Binding, bindings_of
from gateway.transcode import body_message

PACKAGE = "telemed"
BINDINGS = [binding for service in installed_services(PACKAGE) for binding in bindings_of(service)]
METHODS: dict[str, MethodDescriptor] = {binding.method.full_name: binding.method for binding in BINDINGS}
EXAMPLES = examples_of(PACKAGE)


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
    assert told == {variable.field for variable in binding.template.variables}
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


@pytest.mark.parametrize("rpc", EXAMPLES)
def test_an_example_is_what_the_codec_reads_and_what_the_schemas_allow(document: dict[str, Any], rpc: str):
    method, example = METHODS[rpc], EXAMPLES[rpc]
    binding = next(binding for binding in BINDINGS if binding.method.full_name == rpc)
    body = body_message(binding)
    Decoder().of(body)(GetMessageClass(body)(), example["request"])
    operation = document["paths"][path_of(binding)][binding.verb.lower()]
    if binding.body:
        content = operation["requestBody"]["content"]["application/json"]
        schema_at(document, content["schema"]).validate(example["request"])

    answer = GetMessageClass(method.output_type)()
    Decoder().of(method.output_type)(answer, example["response"])
    written = Encoder().of(method.output_type)(answer)
    assert example["response"].items() <= {**written, **_nested(example["response"], written)}.items()
    answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schema_at(document, answered).validate(written)


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
    assert not re.search(r"(src|href)=.https?://", text)


def test_the_document_holds_no_reference_that_leads_nowhere(document: dict[str, Any]):
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for step in reference.split("/"):
            found = found[step]
        assert found
