"""The token of a change: opaque to callers, one of two forms to us."""

import re
from dataclasses import dataclass

from kernel.errors import InvalidArgument

_NUMBER = re.compile(r"[0-9]{1,18}")
_CHANGE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Everything up to the change of that number in the feed."""

    number: int


@dataclass(frozen=True, slots=True)
class ChangeOf:
    """The change that made that version of an appointment; its number in the feed is not known yet when it is told."""

    appointment_id: str
    version: int


def token_of(appointment_id: str, version: int) -> str:
    """The token that a mutation answers."""
    return f"{appointment_id}:{version}"


def parse_revision(text: str, field: str) -> FeedPosition | ChangeOf:
    """What a token means; an empty one is the start of the feed. Raises InvalidArgument for `field`."""
    if not text:
        return FeedPosition(0)
    if _NUMBER.fullmatch(text):
        return FeedPosition(int(text))
    if match := _CHANGE.fullmatch(text):
        return ChangeOf(match[1], int(match[2]))
    raise InvalidArgument.of(field, "must be a revision that an earlier answer gave")
