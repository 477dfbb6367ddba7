"""OTLP/HTTP for traces: an export request as protobuf or as JSON, perhaps compressed, into spans."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stack.console.http import HttpError
from stack.console.spans import Span, spans_of

MOST_BYTES = 8 * 1024 * 1024
PROTOBUF, JSON = "application/x-protobuf", "application/json"
# OTLP writes these as hexadecimal digits, where protobuf's own JSON has base64.
_IDS = ("traceId", "spanId", "parentSpanId")
_GZIP_WINDOW = zlib.MAX_WBITS | 16


def received(headers: Mapping[str, str], body: bytes) -> tuple[list[Span], str, bytes]:
    """The spans of a request, and the type and body of the answer to it. Raises HttpError."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {PROTOBUF, JSON}:
        raise HttpError(415, f"send {PROTOBUF} or {JSON}")
    plain = _decompressed(headers.get("content-encoding", "identity").strip().lower(), body)
    try:
        request = ExportTraceServiceRequest.FromString(plain) if kind == PROTOBUF else _from_json(plain)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise HttpError(400, "the body is not an ExportTraceServiceRequest") from error
    # An empty message in either writing: everything was taken.
    return spans_of(request.resource_spans), kind, b"" if kind == PROTOBUF else b"{}"


def _decompressed(coding: str, body: bytes) -> bytes:
    if coding in {"", "identity"}:
        return body
    if coding != "gzip":
        raise HttpError(415, "the content coding is gzip or none")
    unpacking = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise HttpError(400, "the body is not gzip") from error
    if unpacking.unconsumed_tail:
        raise HttpError(413, f"the body must not be larger than {MOST_BYTES} bytes, unpacked")
    if not unpacking.eof:
        raise HttpError(400, "the body ends too early")
    return plain


def _from_json(text: bytes) -> ExportTraceServiceRequest:
    return ParseDict(_with_base64(orjson.loads(text)), ExportTraceServiceRequest(), ignore_unknown_fields=True)


def _with_base64(request: Any) -> Any:
    for resource in request.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                for holder in (span, *span.get("links", [])):
                    for name in _IDS:
                        if name in holder:
                            holder[name] = _base64(holder[name])
    return request


def _base64(digits: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(digits)).decode()
    except binascii.Error as error:
        raise ValueError("an id is not hexadecimal") from error
