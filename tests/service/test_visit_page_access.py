"""The visit page for everybody: colours that can be told apart, and a name on every control."""

import re
from html.parser import HTMLParser

import pytest

from gateway.visit_page import FOLDER

CSS = (FOLDER / "visit.css").read_text()
PAIRS = [
    ("--ink", "--paper"),
    ("--ink", "--ground"),
    ("--soft", "--paper"),
    ("--soft", "--ground"),
    ("--accent-ink", "--accent"),
    ("--danger", "--paper"),
    ("--good", "--paper"),
    ("--paper", "--ink"),
]


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6});", block))


LIGHT = _colours(CSS[: CSS.index("@media")])
DARK = LIGHT | _colours(CSS[CSS.index("prefers-color-scheme: dark") :])


def _luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS, ids=" on ".join)
def test_text_stands_out_from_its_ground(theme: dict[str, str], pair: tuple[str, str]) -> None:
    darker, lighter = sorted(_luminance(theme[name]) for name in pair)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5, "WCAG 2.2 AA, 1.4.3"


class _Outline(HTMLParser):
    """The elements of a page with their attributes, and the text inside of each button."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._button = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.found.append((tag, told))
        if tag == "button":
            self._button = told.get("id", "submit")

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = ""

    def handle_data(self, data: str) -> None:
        if self._button:
            self.texts[self._button] = self.texts.get(self._button, "") + data.strip()


@pytest.fixture
def page() -> _Outline:
    outline = _Outline()
    outline.feed((FOLDER / "index.html").read_text())
    return outline


def test_every_control_has_a_name(page: _Outline) -> None:
    labelled = {told["for"] for tag, told in page.found if tag == "label"}
    for tag, told in page.found:
        if tag in ("textarea", "select", "input", "meter"):
            assert told["id"] in labelled, told["id"]
        if tag == "button":
            assert page.texts[told.get("id", "submit")], told
        if tag == "video":
            assert told["aria-label"], told
        if tag == "svg":
            assert told["aria-hidden"] == "true"


def test_every_screen_is_named_by_its_heading_and_every_id_stands_once(page: _Outline) -> None:
    ids = [told["id"] for _, told in page.found if "id" in told]
    assert len(ids) == len(set(ids))
    pointed = [told[name] for _, told in page.found for name in ("aria-labelledby", "aria-describedby") if name in told]
    assert set(pointed) <= set(ids)
    screens = [told for tag, told in page.found if tag == "section"]
    assert all(told["aria-labelledby"] for told in screens)


def test_what_changes_is_told_to_those_who_do_not_see_it(page: _Outline) -> None:
    roles = {told["id"]: told.get("role") for _, told in page.found if "id" in told}
    assert (roles["status"], roles["alert"]) == ("status", "alert")


def test_whoever_wants_no_motion_gets_none() -> None:
    before, _, moving = CSS.partition("@media (prefers-reduced-motion: no-preference)")
    assert "animation" in moving
    assert "animation" not in before
    assert "transition" not in before
