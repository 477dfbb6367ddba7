"""Which fields a log line may have: a closed list, so that a new one cannot bring somebody's data in by accident."""

from collections.abc import Mapping
from typing import Any

# What a field is and why it tells nothing of a person. A field that is not here is left out, and its name alone told.
ALLOWED: Mapping[str, str] = {
    # requests
    "rpc_method": "a name of the contract",
    "rpc_status": "a canonical code",
    "http_method": "one of nine",
    "http_route": "a template, never the path itself",
    "http_status": "a number",
    "duration_ms": "a number",
    "request_id": "ours, or the caller's own of a few safe characters, by which they ask us about it",
    "reason": "one of the closed list of docs/errors.md",
    # decisions
    "decision": "what was decided about, a word of ours",
    "outcome": "how, a word of ours",
    "was": "the state before",
    "method": "a way to book",
    "overridden_rules": "names of rules",
    "count": "a number",
    "caller_role": "one of four",
    "actor": "who of the staff broke the glass, which is to be loud; never a patient",
    # faults
    "error_type": "the name of a class",
    "where": "files and lines of ours",
    "because": "why a process cannot start or use new certificates: its settings, addresses and files",
    "work": "a name of background work",
    # the process and its feed
    "port": "a number",
    "after_revision": "a place in the feed",
    "anchor": "a place in the history and its hash",
    "notice": "a kind of notice",
    "tries": "a number",
    "rows": "a number",
    "allowed": "a number",
    "needed": "a number",
}
# A text longer than this is no name of ours.
_LONGEST = 512


def allowed(fields: Mapping[str, Any]) -> dict[str, object]:
    """The fields that may be told, and the names of the others."""
    kept: dict[str, object] = {name: _plain(value) for name, value in fields.items() if name in ALLOWED}
    if len(kept) != len(fields):
        kept["unlisted"] = ",".join(sorted(name for name in fields if name not in ALLOWED))
    return kept


def _plain(value: object) -> object:
    return value if isinstance(value, (bool, int, float)) else str(value)[:_LONGEST]
