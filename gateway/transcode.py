"""One HTTP request into the message of its RPC, and the RPC's answer into JSON: everything about one binding."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.codec.decode import Decoder
from gateway.codec.encode import Encode, Encoder
from gateway.codec.errors import BadValue
from gateway.codec.json_text import loads
from gateway.codec.masks import MASK, paths_named
from gateway.codec.text import TextField
from gateway.codec.wellknown import VALUES
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
ReadBody = Callable[[Message, bytes], object]


class Transcoder:
    """Compiled once per binding; raises BadValue for a request that does not fit, which says where."""

    def __init__(self, binding: Binding, encoder: Encoder, decoder: Decoder) -> None:
        method = binding.method
        self.binding = binding
        self.takes_body = bool(binding.body)
        self.reply_class: type[Message] = GetMessageClass(method.output_type)
        self._request_class: type[Message] = GetMessageClass(method.input_type)
        self._read_body = _body_reader(binding, decoder)
        self._encode = _encode_of(binding, encoder)
        self._variables = [(v, TextField.find(method.input_type, v.field)) for v in binding.template.variables]
        # Names are the caller's choice, and those that are fields are few.
        self._parameter = lru_cache(maxsize=256)(partial(TextField.find, method.input_type))
        self._request_id = _text_field(method.input_type, "request_id")
        self._after = after_field(binding)
        self._etag = etag_field(binding)
        self._etag_of_reply = path_to("etag", method.output_type)
        self._position = position_of(method.output_type)
        self._mask = _mask_field(binding)
        # What the path already says is which resource is meant, never a change of it.
        self._in_path = frozenset(v.field.removeprefix(f"{binding.body}.") for v in binding.template.variables)

    def request(self, found: Found[Any], query: str, headers: Mapping[str, str], body: bytes) -> Message:
        """The message that path, query, headers and body make together."""
        request = self._request_class()
        value = self._read_body(request, body) if self._read_body else None
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
        seen: set[str] = set()
        for name, texts in parse_query(query).items():
            if self.binding.body == WHOLE_BODY:
                raise BadValue("stands in the body of this request, not in its query").inside(name)
            field = self._parameter(name)
            if self.binding.body and field.steps[0] == self.binding.body:
                raise BadValue("stands in the body of this request, not in its query").inside(name)
            if field.only_once in seen:
                raise BadValue("is given twice, or next to a field that excludes it").inside(name)
            seen.add(field.only_once)
            field.put(request, texts)

    def _infer_mask(self, request: Message, value: object) -> None:
        mask = getattr(request, self._mask)
        resource = body_message(self.binding)
        paths = paths_named(resource, value) if resource is not None else ()
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
    if query.count("&") >= _MOST_PARAMETERS:
        raise BadValue(f"the query has more than {_MOST_PARAMETERS} parameters")
    found: dict[str, list[str]] = {}
    try:
        for part in query.split("&"):
            if part:
                name, _, text = part.partition("=")
                found.setdefault(_decoded(name), []).append(_decoded(text))
    except UnicodeDecodeError:
        raise BadValue("the query must be UTF-8") from None
    return found


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


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


def position_of(message: Descriptor) -> tuple[str, ...]:
    """The fields that lead to the position that an answer of a stream carries; empty when it has none."""
    return _first(path_to(name, message) for name, _ in _RESUMES) or ()


def after_field(binding: Binding) -> TextField | None:
    """Where a request says behind which position a stream is to go on."""
    return _first(_text_field(binding.method.input_type, name) for _, name in _RESUMES)


def etag_field(binding: Binding) -> TextField | None:
    """Where a request says which version it means: at its top, or inside what its body stands for."""
    message = binding.method.input_type
    inner = body_message(binding)
    if body_field(binding) is not None and inner is not None and _text_field(inner, "etag") is not None:
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
    if binding.verb != "PATCH" or body_field(binding) is None or body_message(binding) is None:
        return ""
    masks = [
        field.name
        for field in binding.method.input_type.fields
        if field.message_type is not None and field.message_type.full_name == MASK and not field.is_repeated
    ]
    return masks[0] if len(masks) == 1 else ""


def body_field(binding: Binding) -> FieldDescriptor | None:
    """The one field of the request that the body stands for; None when it is the whole request, or there is none."""
    found: FieldDescriptor | None = binding.method.input_type.fields_by_name.get(binding.body)
    return found


def body_message(binding: Binding) -> Descriptor | None:
    """The message whose fields a body names: the request, or one message of it; None for a body without fields."""
    named = body_field(binding)
    if named is None:
        request: Descriptor = binding.method.input_type
        return request
    inner = named.message_type
    return inner if inner is not None and not named.is_repeated and inner.full_name not in VALUES else None


def _body_reader(binding: Binding, decoder: Decoder) -> ReadBody | None:
    """What puts a body into a request and answers its JSON; None for a binding that takes none."""
    named = body_field(binding)
    if named is None and binding.body != WHOLE_BODY:
        return None
    put = decoder.of(binding.method.input_type) if named is None else decoder.of_field(named)
    has_fields = body_message(binding) is not None

    def read(request: Message, body: bytes) -> object:
        # No body at all is an empty object, but no list and no number.
        if not body and not has_fields:
            return None
        value = loads(body)
        put(request, value)
        return value

    return read


def _encode_of(binding: Binding, encoder: Encoder) -> Encode:
    answer = binding.method.output_type
    if not binding.response_body:
        return encoder.of(answer)
    return encoder.of_field(answer.fields_by_name[binding.response_body])
