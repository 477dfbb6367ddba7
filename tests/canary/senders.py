"""The same request by both ways in: as JSON through the gateway, and by gRPC to the service itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import grpc
import httpx
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from gateway.codec.decode import Decoder
from gateway.codec.errors import BadValue
from gateway.routes import WHOLE_BODY, Binding

_DECODER = Decoder()


def over_http(
    http: httpx.Client, binding: Binding, request: dict[str, Any], headers: Mapping[str, str]
) -> httpx.Response:
    """The answer of the gateway; a stream is read to its end."""
    left = dict(request)
    path = binding.template.text
    for variable in binding.template.variables:
        value = _taken(left, variable.field)
        path = path.replace(f"{{{variable.field}}}", quote(str(value or "-"), safe=""))
    body, query = None, ""
    if binding.body == WHOLE_BODY:
        body = left
    else:
        body = left.pop(binding.body, {}) if binding.body else None
        query = urlencode(list(_flat(left, "")))
    content = None if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"content-type": "application/json"}
    return http.request(
        binding.verb, f"{path}?{query}" if query else path, content=content, headers={**headers, **kind}
    )


def _taken(left: dict[str, Any], dotted: str) -> Any:
    *outer, last = dotted.split(".")
    here: Any = left
    for step in outer:
        here = here.get(step, {})
    return here.pop(last, None)


def _flat(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _flat(one, f"{name}.{inner}" if name else inner)
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one, name)
    else:
        yield name, str(value).lower() if isinstance(value, bool) else value


@dataclass(frozen=True)
class Told:
    """What a gRPC call ended with."""

    code: grpc.StatusCode
    text: str


def over_grpc(
    channel: grpc.Channel,
    method: MethodDescriptor,
    request: dict[str, Any],
    metadata: Mapping[str, str],
    timeout: float = 10,
) -> Told:
    """The outcome of a call; what JSON can say and protobuf cannot (a word where a date belongs) counts as refused."""
    message = GetMessageClass(method.input_type)()
    try:
        _DECODER.of(method.input_type)(message, request)
    except BadValue:
        return Told(grpc.StatusCode.INVALID_ARGUMENT, "")
    return raw_grpc(channel, method, message.SerializeToString(), metadata, timeout)


def raw_grpc(
    channel: grpc.Channel, method: MethodDescriptor, request: bytes, metadata: Mapping[str, str], timeout: float = 10
) -> Told:
    """The same for bytes that may be no message at all."""
    name = f"/{method.containing_service.full_name}/{method.name}"
    pairs = tuple(metadata.items())
    try:
        if method.server_streaming:
            for _ in channel.unary_stream(name)(request, metadata=pairs, timeout=min(timeout, 0.3)):
                continue
        else:
            channel.unary_unary(name)(request, metadata=pairs, timeout=timeout)
    except grpc.RpcError as error:
        trailers = b" ".join(
            value if isinstance(value, bytes) else value.encode() for _, value in error.trailing_metadata() or ()
        )
        return Told(error.code(), f"{error.details()} {trailers.decode(errors='replace')}")
    return Told(grpc.StatusCode.OK, "")
