"""Breaking the glass: reading what is nobody's business, for care that cannot wait, by somebody who says why."""

import logging
import re
from unicodedata import category
from urllib.parse import quote, unquote_to_bytes

from chassis.context import Caller, Role
from chassis.metrics import broken_glass
from chassis.policy import Rule
from kernel.errors import BreakGlassRefused, BreakGlassUnexplained, Violation

# The header of HTTP and, in lower case, the metadata of gRPC.
HEADER = "Break-Glass-Reason"
METADATA = HEADER.lower()
_LENGTHS = range(10, 501)
_ROLES = frozenset({Role.DOCTOR, Role.ADMIN})
# Three times for UTF-8, three times for percent-encoding.
_LONGEST_ENCODED = 9 * _LENGTHS.stop
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_READABLE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"

logger = logging.getLogger(__name__)


def decoded(text: str) -> str:
    """The words of a header or metadata: ASCII, where other characters are percent-encoded UTF-8.

    Raises BreakGlassUnexplained, which does not quote them.
    """
    if len(text) > _LONGEST_ENCODED or not text.isascii() or _STRAY_PERCENT.search(text):
        raise _unexplained("must be percent-encoded UTF-8, with %25 for a percent sign")
    try:
        words = unquote_to_bytes(text).decode().strip()
    except UnicodeDecodeError:
        raise _unexplained("must be percent-encoded UTF-8") from None
    if len(words) not in _LENGTHS or any(category(character) == "Cc" for character in words):
        raise _unexplained(f"must be {_LENGTHS[0]} to {_LENGTHS[-1]} characters on one line")
    return words


def encoded(words: str) -> str:
    """The words as a header or metadata can carry them."""
    return quote(words, safe=_READABLE)


def require_may_break(caller: Caller, rule: Rule) -> None:
    """Refuses those who cannot break the glass, and what cannot be read through it. Raises BreakGlassRefused."""
    if caller.role not in _ROLES:
        raise BreakGlassRefused("only doctors and administrators may break the glass")
    if not rule.break_glass:
        raise BreakGlassRefused("the glass may be broken for readings of appointments and visits alone")


def sound_the_alarm(caller: Caller, method: str) -> None:
    """Makes it heard at once that the glass is being broken, without the words: they tell of somebody's health."""
    broken_glass.labels(method).inc()
    logger.warning(
        "the glass was broken", extra={"rpc_method": method, "caller_role": caller.role.value, "actor": caller.actor}
    )


def _unexplained(what: str) -> BreakGlassUnexplained:
    return BreakGlassUnexplained(f"{HEADER}: {what}", violations=(Violation(HEADER, what),))
