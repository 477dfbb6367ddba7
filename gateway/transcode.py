"""One HTTP request into the message of its RPC, and the RPC's answer into JSON: everything about one binding."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.codec.decode import Decoder, Fill
from gateway.codec.encode import Encoder
from gateway.codec.errors import BadValue
from gateway.codec.json_text import loads
from gateway.codec.masks import MASK, paths_named
from gateway.codec.text import TextField
from gateway.routes import WHOLE_BODY, Binding, Found

IDEMPOTENCY_KEY = "Idempotency-Key"
IF_MATCH = "If-Match"
LAST_EVENT_ID = "Last-Event-ID"
_ENTITY_TAG = re.compile(r'"([\x21\x23-\x7e]{1,255})"')
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_MOST_PARAMETERS = 100
# The position in a stream as its answers carry it, and the field of the request that says where to go on.
_RESUMES = (("resume_revision", "after_revision"), ("revision", "after_revision"), ("seq", "after_seq"))

Thing = TypeVar("Thing")


class Transcoder:
    """Compiled once per binding; raises BadValue for a request that does not fit, which says where."""

    def __init__(self, binding: Binding, encoder: Encoder, decoder: Decoder) -> None:
        method = binding.method
        self.binding = binding
        self.takes_body = bool(binding.body)
        self.reply_class: type[Message] = GetMessageClass(method.output_type)
        self._request_class: type[Message] = GetMessageClass(method.input_type)
        self._fill: Fill = decoder.of(body_message(binding))
        self._encode = encoder.of(method.output_type)
        self._variables = [(v, TextField.find(method.input_type, v.field)) for v in binding.template.variables]
        self._request_id = _text_field(method.input_type, "request_id")
        self._after = _first(_text_field(method.input_type, name) for _, name in _RESUMES)
        self._etag = etag_field(binding)
        self._etag_of_reply = path_to("etag", method.output_type)
        self._position = _first(path_to(name, method.output_type) for name, _ in _RESUMES) or ()
        self._mask = _mask_field(binding)
        # What the path already says is which resource is meant, never a change of it.
        self._in_path = frozenset(v.field.removeprefix(f"{binding.body}.") for v in binding.template.variables)

    def request(self, found: Found[Any], query: str, headers: Mapping[str, str], body: bytes) -> Message:
        """The message that path, query, headers and body make together."""
        request = self._request_class()
        value = loads(body) if self.binding.body else None
        if self.binding.body == WHOLE_BODY:
            self._fill(request, value)
        elif self.binding.body:
            named = getattr(request, self.binding.body)
            named.SetInParent()
            self._fill(named, value)
        if query:
            self._put_query(request, query)
        if self._mask and not request.HasField(self._mask):
            self._infer_mask(request, value)
        for variable, field in self._variables:
            field.put_once(request, found.text_of(variable), "must equal the one in the path")
        self._put_headers(request, headers)
        return request

    def reply(self, message: Message) -> bytes:
        """The answer as JSON text."""
        return orjson.dumps(self._encode(message))

    def event_id(self, message: Message) -> str:
        """The position that an answer of a stream carries, for the client to resume from; empty when it has none."""
        return _text_at(self._position, message)

    def entity_tag(self, message: Message) -> str:
        """The header ETag of an answer; empty when what it carries has none."""
        tag = _text_at(self._etag_of_reply, message)
        return f'"{tag}"' if tag else ""

    def _put_query(self, request: Message, query: str) -> None:
        for name, texts in parse_query(query).items():
            if self.binding.body == WHOLE_BODY:
                raise BadValue("stands in the body of this request, not in its query").inside(name)
            field = TextField.find(self.binding.method.input_type, name)
            if self.binding.body and (field.parents[:1] or (field.field,))[0].name == self.binding.body:
                raise BadValue("stands in the body of this request, not in its query").inside(name)
            if field.is_set(request):
                raise BadValue("is given twice").inside(name)
            field.put(request, texts)

    def _infer_mask(self, request: Message, value: object) -> None:
        mask = getattr(request, self._mask)
        paths = paths_named(body_message(self.binding), value)
        mask.paths[:] = [path for path in paths if path not in self._in_path]

    def _put_headers(self, request: Message, headers: Mapping[str, str]) -> None:
        key = headers.get(IDEMPOTENCY_KEY.lower())
        if key is not None and self._request_id is not None:
            if not _KEY.fullmatch(key):
                raise BadValue("must be 1 to 255 printable ASCII characters").inside(IDEMPOTENCY_KEY)
            self._request_id.put_once(request, key, f"must equal the header {IDEMPOTENCY_KEY}")
        tag = headers.get(IF_MATCH.lower())
        if tag is not None and tag != "*" and self._etag is not None:
            quoted = _ENTITY_TAG.fullmatch(tag)
            if quoted is None:
                raise BadValue("must be one entity tag in quotes, or *").inside(IF_MATCH)
            self._etag.put_once(request, quoted[1], f"must equal the header {IF_MATCH}")
        seen = headers.get(LAST_EVENT_ID.lower())
        if seen and self._after is not None:
            # A browser that reconnects repeats the first URL, so the header is the newer of the two.
            self._after.put(request, [seen])


def parse_query(query: str) -> dict[str, list[str]]:
    """The parameters of a query by name, each with its values in order. Raises BadValue."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise BadValue("the query must be UTF-8") from None
    except ValueError:
        raise BadValue(f"the query has more than {_MOST_PARAMETERS} parameters") from None
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    return found


def path_to(name: str, message: Descriptor) -> tuple[str, ...]:
    """The fields that lead to a text of that name: a message's own, or that of the only sub-message that has one."""
    if _text_field(message, name) is not None:
        return (name,)
    inside = [
        (field.name, name)
        for field in message.fields
        if field.message_type is not None and not field.is_repeated and _text_field(field.message_type, name)
    ]
    return inside[0] if len(inside) == 1 else ()


def _text_at(path: tuple[str, ...], message: Message) -> str:
    value: Any = message
    for step in path:
        value = getattr(value, step)
    return str(value) if path else ""


def etag_field(binding: Binding) -> TextField | None:
    """Where a request says which version it means: at its top, or inside what its body stands for."""
    message = binding.method.input_type
    if binding.body not in ("", WHOLE_BODY) and _text_field(body_message(binding), "etag") is not None:
        return TextField.find(message, f"{binding.body}.etag")
    return _text_field(message, "etag")


def _text_field(message: Descriptor, name: str) -> TextField | None:
    field = message.fields_by_name.get(name)
    if field is None or field.is_repeated or field.type not in (field.TYPE_STRING, field.TYPE_INT64):
        return None
    return TextField.find(message, name)


def _first(found: Iterable[Thing]) -> Thing | None:
    return next(filter(None, found), None)


def _mask_field(binding: Binding) -> str:
    """The field of a PATCH that says which fields of its body count; empty where there is none to infer."""
    if binding.verb != "PATCH" or binding.body in ("", WHOLE_BODY):
        return ""
    masks = [
        field.name
        for field in binding.method.input_type.fields
        if field.message_type is not None and field.message_type.full_name == MASK and not field.is_repeated
    ]
    return masks[0] if len(masks) == 1 else ""


def body_message(binding: Binding) -> Descriptor:
    """What the body of a request is: the request itself, or one message of it."""
    request = binding.method.input_type
    if binding.body in ("", WHOLE_BODY):
        return request
    named = request.fields_by_name[binding.body].message_type
    if named is None:
        raise ValueError(f"{binding.name}: the body field is not a message")
    return named
