"""Pages of a list: how many things one holds, and the token that says where the next begins."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from kernel.errors import InvalidArgument, Refusal

LARGEST_PAGE = 200
_USUAL_PAGE = 50
_BETWEEN = "\n"


def page_length(page_size: int, *, largest: int = LARGEST_PAGE, usual: int = _USUAL_PAGE) -> int:
    """The length that a page_size asks for. Raises InvalidArgument for page_size."""
    if not 0 <= page_size <= largest:
        raise InvalidArgument.of("page_size", f"must be 1 to {largest}, or 0 for {usual}")
    return page_size or usual


def page_token(*parts: str) -> str:
    """The token of a position, opaque to callers; no part holds a line break."""
    return base64.urlsafe_b64encode(_BETWEEN.join(parts).encode()).decode()


def parts_of(token: str, *readers: Callable[[str], Any]) -> list[Any] | None:
    """The position that a token means, each part read by its reader; None for an empty token.

    Raises InvalidArgument for page_token when no answer of ours can have given it.
    """
    if not token:
        return None
    try:
        parts = base64.b64decode(token.encode(), b"-_", validate=True).decode().split(_BETWEEN)
        return [reader(part) for reader, part in zip(readers, parts, strict=True)]
    except (binascii.Error, ValueError, OverflowError, Refusal):
        raise InvalidArgument.of("page_token", "must be the next_page_token of the page before") from None
