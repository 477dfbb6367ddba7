"""Answers made smaller for those who ask for it."""

import gzip
from collections.abc import Mapping

# Below one packet there is nothing to win.
_LEAST_BYTES = 1_400
# The first steps of compression bring most of it; the rest is paid for by everybody who waits.
_LEVEL = 4


def compressed(body: bytes, request_headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The body as it is sent, and the headers that say so."""
    if len(body) < _LEAST_BYTES:
        return body, {}
    if not _accepts_gzip(request_headers.get("accept-encoding", "")):
        return body, {"vary": "accept-encoding"}
    return gzip.compress(body, _LEVEL, mtime=0), {"content-encoding": "gzip", "vary": "accept-encoding"}


def _accepts_gzip(header: str) -> bool:
    """RFC 9110 §12.5.3: the coding is named, or `*` is and it is not, with a weight above zero."""
    weights = dict(map(_weighed, header.split(",")))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighed(text: str) -> tuple[str, float]:
    coding, _, parameter = text.strip().lower().partition(";")
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(value)
    except ValueError:
        return coding.strip(), 0.0
