"""Identifiers: UUIDs that sort by time, and the only spelling of a UUID that is accepted."""

import os
import re
from datetime import datetime
from uuid import UUID

from kernel.errors import InvalidArgument

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def uuid7(now: datetime) -> UUID:
    """A new UUID of version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | (random & ((1 << 62) - 1))
    return UUID(int=value)


def canonical_uuid(text: str) -> str | None:
    """The canonical lower-case form of a UUID; None for any other text."""
    lowered = text.lower()
    return lowered if _CANONICAL.fullmatch(lowered) else None


def parse_uuid(text: str, field: str) -> str:
    """The canonical lower-case form of a UUID. Raises InvalidArgument for `field`.

    Stricter than uuid.UUID, which takes braces, URNs and misplaced hyphens too.
    """
    canonical = canonical_uuid(text)
    if canonical is None:
        raise InvalidArgument.of(field, "must be a UUID such as 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
    return canonical


def parse_optional_uuid(text: str, field: str) -> str | None:
    """Like parse_uuid, where an empty text means none."""
    return parse_uuid(text, field) if text else None
