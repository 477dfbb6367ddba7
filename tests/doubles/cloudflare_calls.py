"""The calls of Cloudflare's API as they come in and as they are refused, and the faults that a test can ask for."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.http_server import Call, Reply
from tests.doubles.sfu_engine import item_error

APP_ID, APP_SECRET = "app-of-the-tests", "app-secret-of-the-tests"
TURN_KEY_ID, TURN_KEY_TOKEN = "turn-key-of-the-tests", "turn-token-of-the-tests"
TURN_PATH = f"/v1/turn/keys/{TURN_KEY_ID}/credentials/"
_MOST_BYTES = 256 * 1024
_SESSION = re.compile(rf"/v1/apps/{APP_ID}/sessions/([0-9a-f]{{32}})(/.*)?")


@dataclass(frozen=True)
class Fault:
    """What goes wrong once.

    With `after_effect` the operation is done first, whatever the answer then says. `items` fails the tracks of those
    names or mids with a code. `answer` is sent instead of doing anything.
    """

    status: int = 200
    code: str = ""
    after_effect: bool = False
    silent: bool = False
    hang_up: bool = False
    cut: float | None = None
    delay_seconds: float = 0.0
    retry_after: str = ""
    items: dict[str, str] = field(default_factory=dict)
    answer: object = None


class ApiError(Exception):
    """A request that is refused as a whole."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def operation_of(call: Call) -> tuple[str, str]:
    """What is asked, and of which session; `unknown` for anything that the API does not have."""
    if call.path.startswith(TURN_PATH):
        known = {"generate-ice-servers": "ice", "generate": "ice"}
        rest = call.path.removeprefix(TURN_PATH)
        name = known.get(rest, "revoke" if rest.endswith("/revoke") else "unknown")
        return (name if call.method == "POST" else "unknown"), ""
    if call.path == f"/v1/apps/{APP_ID}/sessions/new":
        return ("sessions/new" if call.method == "POST" else "unknown"), ""
    found = _SESSION.fullmatch(call.path)
    if found is None:
        return "unknown", ""
    operations = {
        ("POST", "/tracks/new"): "tracks/new",
        ("PUT", "/tracks/close"): "tracks/close",
        ("PUT", "/tracks/update"): "tracks/update",
        ("PUT", "/renegotiate"): "renegotiate",
        ("GET", None): "inspect",
    }
    return operations.get((call.method, found[2]), "unknown"), found[1]


def json_of(call: Call) -> Any:
    """The object in the body. Raises ApiError."""
    if len(call.body) > _MOST_BYTES:
        raise ApiError(413, "payload_too_large")
    try:
        body = json.loads(call.body)
    except ValueError:
        raise ApiError(400, "decoding_error") from None
    if not isinstance(body, dict):
        raise ApiError(400, "decoding_error")
    return body


def known(item: Any) -> dict[str, str]:
    """What names a remote track."""
    return {"sessionId": item.get("sessionId", ""), "trackName": item["trackName"]}


def refused(fault: Fault) -> Reply:
    """The answer of a fault that refuses."""
    reply = error_reply(fault.status, fault.code)
    return Reply(reply.status, reply.body, {"retry-after": fault.retry_after} if fault.retry_after else {})


def error_reply(status: int, code: str) -> Reply:
    """An error as they write it."""
    return Reply(status, item_error({}, code) if code else None)
