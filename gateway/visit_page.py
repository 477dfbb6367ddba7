"""The page of a visit: its files as they lie in web/visit, under a policy that lets nothing else in."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from gateway.http import Answer

FOLDER = Path(__file__).parent / "web" / "visit"
_PAGE = "index.html"
# The address that StartSession answers says /session; people say visit. Both are the same page.
_ADDRESS = re.compile(r"/(visit|session)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/?", re.IGNORECASE)
_ASSETS = "/visit/assets/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Its own scripts and styles, calls to this gateway, and nothing inline: what a visitor typed can never become code.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file and the name of its route, in which no session is named."""

    route: str
    answer: Answer

    async def show(self) -> Answer:
        """The file."""
        return self.answer


class VisitPage:
    """The files, read once. Which visit it is, the page finds in its own address: nothing here depends on it."""

    def __init__(self) -> None:
        self._answers = {path.name: _answer(path) for path in FOLDER.iterdir() if path.suffix in _TYPES}

    def find(self, path: str) -> File | None:
        """What lies at a path: the page at `/session/<id>` and `/visit/<id>`, a part of it below `/visit/assets/`."""
        if path.startswith(_ASSETS):
            answer = self._answers.get(path.removeprefix(_ASSETS))
            return File(f"{_ASSETS}{{file}}", answer) if answer else None
        found = _ADDRESS.fullmatch(path)
        return File(f"/{found[1]}/{{session_id}}", self._answers[_PAGE]) if found else None


def _answer(path: Path) -> Answer:
    return Answer(HTTPStatus.OK, path.read_bytes(), _TYPES[path.suffix], _HEADERS)
