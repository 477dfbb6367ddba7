"""Cross-origin requests: which web pages of other origins may call, by the Fetch standard."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from gateway.http import Answer, Request

_ALLOWED_HEADERS = (
    "authorization, break-glass-reason, content-type, idempotency-key, if-match, last-event-id, traceparent, "
    "x-request-id"
)
_SHOWN_HEADERS = "etag, ratelimit, ratelimit-policy, retry-after, x-request-id"
_REMEMBERED_SECONDS = "600"


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins that are allowed, exactly as browsers send them. Tokens travel in a header, never in a cookie."""

    origins: frozenset[str]

    def headers(self, request: Request) -> dict[str, str]:
        """What an answer says about origins: nothing to a stranger, and always that it depends on who asks."""
        if not self.origins:
            return {}
        origin = request.headers.get("origin", "")
        if origin not in self.origins:
            return {"vary": "origin"}
        return {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": _SHOWN_HEADERS,
            "vary": "origin",
        }

    def preflight(self, request: Request, allowed: Mapping[str, object]) -> Answer | None:
        """The answer to a browser that asks before it calls; None when this is no such question, or a stranger's."""
        asked = request.headers.get("access-control-request-method")
        if request.method != "OPTIONS" or asked is None or request.headers.get("origin", "") not in self.origins:
            return None
        headers = {
            "access-control-allow-methods": ", ".join(sorted(allowed)),
            "access-control-allow-headers": _ALLOWED_HEADERS,
            "access-control-max-age": _REMEMBERED_SECONDS,
        }
        return Answer(HTTPStatus.NO_CONTENT, b"", headers=headers)
