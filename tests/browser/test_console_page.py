"""The console's page in a real browser: every view with spans as a stack sends them, empty, broken, and narrow."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stack.console.http import HttpError
from stack.console.store import Store
from tests.browser.conftest import Browsers, Page
from tests.fix_console import ConsoleBench, Telling, console_bench, figures, served_console

WIDE = {"width": 1280, "height": 900}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
READY = {"names": {"process": "SERVING", "liveness": "SERVING"}, "restarts": 0, "memory_bytes": 98e6, "state": "ready"}


async def health() -> Any:
    services = [
        {
            "name": name,
            "pid": 4_100 + place,
            "port": 3_000 + place,
            "feed_lag": None if place < 2 else place - 2,
            **READY,
        }
        for place, name in enumerate(("gateway", "appointment", "doctor", "video"))
    ]
    services[3] |= {"state": "not ready", "names": {"process": "NOT_SERVING", "liveness": "SERVING"}}
    return {"url": "http://localhost:3000", "shows": None, "processes": services}


async def analytics() -> Any:
    def day(number: int) -> Any:
        smart, manual = 3 + number % 5, 1 + number % 3
        return figures(
            bookings=smart + manual, smart_bookings=smart, manual_bookings=manual, continuity_bookings=number % 4,
            smart_attempts=smart + 1, manual_attempts=manual + 1, average_match_score=0.81,
            smart_success_rate=smart / (smart + 1), manual_success_rate=manual / (manual + 1),
        )  # fmt: skip

    days = [{"date": f"2026-11-{number:02}", "figures": day(number)} for number in range(1, 29)]
    total = figures(
        bookings=182, smart_bookings=128, manual_bookings=54, smart_attempts=156, manual_attempts=82,
        average_match_score=0.81, smart_success_rate=0.82, manual_success_rate=0.66, continuity_bookings=42,
    )  # fmt: skip
    failures = [{"reason": "SLOT_TAKEN", "count": 31}, {"reason": "TOO_SOON", "count": 12}]
    specialties = [{"specialty": "cardiology", "attempts": 40, "successes": 36, "success_rate": 0.9}]
    return {
        "days": days,
        "total": {**total, "failures": failures},
        "specialties": specialties,
        "timezone": "UTC",
    }


async def broken() -> Any:
    raise HttpError(502, "the gateway does not answer")


@pytest.fixture
async def filled() -> AsyncIterator[tuple[str, ConsoleBench]]:
    """A console that has seen some bookings, one of which failed; and its address."""
    async with console_bench(Store(), health, analytics) as bench:
        for number in range(1, 25):
            told = Telling(time.time_ns() - (30 - number) * 1_000_000_000)
            await bench.send(told.booking(number, error=number == 20))
        async with served_console(bench.console) as address:
            yield address, bench


async def shows(page: Page, view: str, text: str) -> None:
    """Waits for a view with some text in it; the browser must have had nothing to complain of."""
    await page.tab.wait_for_selector(f'main[data-view="{view}"]:has-text("{text}")', timeout=15_000)
    assert page.faults == []


async def test_every_view_is_reached_by_its_link_and_shows_what_there_is(
    browsers: Browsers, filled: tuple[str, ConsoleBench], pictures: Path
):
    page = await browsers.open(f"{filled[0]}/ops/", color_scheme="light", viewport=WIDE)
    await shows(page, "health", "video: not well")
    await page.tab.screenshot(path=pictures / "console-health.png", full_page=True)
    for link, view, text in (
        ("Traces", "traces", "POST /appointments/book"),
        ("Service map", "map", "MatchDoctors"),
        ("Statements", "statements", "95 % within"),
        ("Bookings", "bookings", "SLOT_TAKEN"),
    ):
        await page.tab.click(f'nav a:has-text("{link}")')
        await shows(page, view, text)
        assert await page.tab.get_attribute(f'nav a:has-text("{link}")', "aria-current") == "page"
        await page.tab.screenshot(path=pictures / f"console-{view}.png", full_page=True)
    elsewhere = [url for url in page.asked if not url.startswith(filled[0])]
    assert elsewhere == []


async def test_a_failed_booking_is_searched_for_and_read_as_a_waterfall(
    browsers: Browsers, filled: tuple[str, ConsoleBench], pictures: Path
):
    page = await browsers.open(
        f"{filled[0]}/ops/#/traces", color_scheme="dark", viewport={"width": 1280, "height": 900}
    )
    await page.tab.select_option('select[name="status"]', "error")
    await page.tab.press('input[name="name"]', "Enter")
    # Not wait_for_function, whose second look is the page's own script, which the page's policy forbids.
    await page.tab.wait_for_selector("main tbody tr:only-child")
    await page.tab.click("main tbody a")
    await shows(page, "trace", "INTERNAL")
    assert await page.tab.locator(".span").count() == 6
    await page.tab.locator(".span").last.press("Enter")
    assert "SELECT * FROM book(%(patient_id)s::uuid)" in await page.text(".detail")
    await page.tab.screenshot(path=pictures / "console-trace.png", full_page=True)


async def test_an_empty_console_says_what_to_do_and_a_broken_one_what_is_wrong(browsers: Browsers, pictures: Path):
    async with console_bench(Store(), analytics=broken) as bench, served_console(bench.console) as address:
        page = await browsers.open(f"{address}/ops/#/traces", color_scheme="light")
        await shows(page, "traces", "No trace has arrived yet")
        await page.tab.screenshot(path=pictures / "console-empty.png", full_page=True)
        await page.tab.click('nav a:has-text("Bookings")')
        await page.tab.wait_for_selector('[role="alert"]:has-text("the gateway does not answer")')
        await page.tab.screenshot(path=pictures / "console-error.png", full_page=True)


async def test_it_fits_a_narrow_screen(browsers: Browsers, filled: tuple[str, ConsoleBench], pictures: Path):
    page = await browsers.open(f"{filled[0]}/ops/", color_scheme="dark", viewport={"width": 380, "height": 800})
    for view, text in (
        ("health", "not well"), ("traces", "POST /appointments/book"), ("map", "MatchDoctors"),
        ("statements", "95 % within"), ("bookings", "SLOT_TAKEN"), (f"trace/{20:032x}", "INTERNAL"),
    ):  # fmt: skip
        await page.tab.evaluate(f"location.hash = '#/{view}'")
        await shows(page, view.split("/")[0], text)
        overflow = await page.tab.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, view
        await page.tab.screenshot(path=pictures / f"console-narrow-{view.split('/')[0]}.png", full_page=True)
