"""A chain of hashes over records: whoever changes, drops, adds or moves one breaks it from there on.

The form is fixed, since hashes are kept for ever; docs/decisions/0009-hash-chain.md gives it in full.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import TypeAlias

# What JSON holds. Numbers stay the text that they were written as, so that none is rounded on its way.
Value: TypeAlias = "str | Number | bool | list[Value] | dict[str, Value] | None"
Record: TypeAlias = Mapping[str, Value]
_LENGTH = struct.Struct(">i")
_NUMBER = struct.Struct(">q")


class Number(str):
    """A JSON number, as it is written."""

    __slots__ = ()


def parse_record(text: str) -> dict[str, Value]:
    """The record in a JSON object."""
    record: dict[str, Value] = json.loads(text, parse_int=Number, parse_float=Number)
    return record


def record_digest(record: Record) -> bytes:
    """The SHA-256 of a record: its fields in byte order of the names, each name and value behind its length.

    Lengths are four bytes, big-endian. A value is its JSON text as PostgreSQL writes it. Fields that are null are left
    out, so that a record of today has the same digest when its table gets another column.
    """
    parts: list[bytes] = []
    for name in sorted(record):
        value = record[name]
        if value is not None:
            text = _json_text(value).encode()
            parts += (_framed_name(name), _LENGTH.pack(len(text)), text)
    return hashlib.sha256(b"".join(parts)).digest()


def first_anchor(chain: str) -> bytes:
    """What the first link of a chain follows: the digest of the chain's name."""
    return hashlib.sha256(chain.encode()).digest()


def next_link(previous: bytes, number: int, content: bytes) -> bytes:
    """The link of the record with that number (eight bytes, big-endian) and digest, after another link."""
    return hashlib.sha256(previous + _NUMBER.pack(number) + content).digest()


@lru_cache(maxsize=1_000)
def _framed_name(name: str) -> bytes:
    # Names are those of columns, few and ever the same.
    encoded = name.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _json_text(value: Value) -> str:
    """The text of a JSON value as PostgreSQL's jsonb writes it."""
    match value:
        case Number():
            return str(value)
        case str():
            return encode_basestring(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case list():
            return f"[{', '.join(map(_json_text, value))}]"
    # PostgreSQL keeps the keys of an object by length, and by bytes among equals.
    keys = sorted(value, key=lambda key: (len(key.encode()), key))
    return "{" + ", ".join(f"{encode_basestring(key)}: {_json_text(value[key])}" for key in keys) + "}"
