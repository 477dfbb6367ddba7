"""The token of a change: opaque to callers, one of two forms to us."""

import re
from dataclasses import dataclass

from kernel.errors import InvalidArgument

_NUMBER = re.compile(r"[0-9]{1,18}")
_VERSION = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class FeedNumber:
    """Every change of the feed up to the one of that number."""

    number: int


@dataclass(frozen=True, slots=True)
class VersionOf:
    """A visit in that version or a later one."""

    appointment_id: str
    version: int


def parse_revision(token: str) -> FeedNumber | VersionOf:
    """What a token asks to see. Raises InvalidArgument for at_least_revision."""
    if _NUMBER.fullmatch(token):
        return FeedNumber(int(token))
    if match := _VERSION.fullmatch(token):
        return VersionOf(match[1], int(match[2]))
    raise InvalidArgument.of("at_least_revision", "must be a revision that an earlier answer gave")
