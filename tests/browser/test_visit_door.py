"""The page before the call: how the token comes in, and what the check of the devices says."""

from pathlib import Path

import pytest

from chassis.context import Role
from tests.browser.conftest import Browsers, Web
from tests.fix_video import Booked


@pytest.fixture
async def visit(web: Web) -> tuple[Booked, str]:
    """A visit that can be joined now, and its session."""
    booked = Booked()
    web.visits.feed.tell(booked)
    return booked, await web.session_of(booked)


async def test_the_token_leaves_the_address_at_once_and_the_devices_are_checked(
    web: Web, browsers: Browsers, visit: tuple[Booked, str], pictures: Path
) -> None:
    booked, session_id = visit
    page = await browsers.open(web.url(session_id, Role.PATIENT, booked.patient_id))
    await page.shows("check")
    assert page.tab.url == f"{web.base_url}/visit/{session_id}"
    await page.tab.wait_for_selector("#join:not([disabled])")
    for device in ("camera", "microphone", "network"):
        assert await page.tab.get_attribute(f"#check-{device}", "data-state") == "good"
    assert await page.text("#join") == "Ask to join"
    assert await page.tab.evaluate("document.activeElement.id") == "check-title"
    await page.tab.screenshot(path=pictures / "check.png")
    assert page.faults == []


async def test_without_a_token_the_page_asks_for_one(
    web: Web, browsers: Browsers, visit: tuple[Booked, str], pictures: Path
) -> None:
    booked, session_id = visit
    page = await browsers.open(f"{web.base_url}/session/{session_id}")
    await page.shows("token")
    await page.tab.screenshot(path=pictures / "token.png")
    await page.tab.fill("#token", "not a token")
    await page.tab.click("text=Continue")
    assert "not an access token" in await page.text("#alert")
    await page.tab.fill("#token", web.visits.callers.token(Role.DOCTOR, booked.doctor_id))
    await page.tab.click("text=Continue")
    await page.shows("check")
    await page.tab.wait_for_selector("#join:not([disabled])")
    assert await page.text("#join") == "Start the visit"


async def test_a_strangers_token_opens_nothing(web: Web, browsers: Browsers, visit: tuple[Booked, str]) -> None:
    page = await browsers.open(web.url(visit[1], Role.PATIENT, "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"))
    await page.shows("end")
    assert await page.text("#end-text") == "there is no such session"


async def test_on_a_phone_everything_fits_the_width(
    web: Web, browsers: Browsers, visit: tuple[Booked, str], pictures: Path
) -> None:
    booked, session_id = visit
    url = web.url(session_id, Role.PATIENT, booked.patient_id)
    page = await browsers.open(url, viewport={"width": 360, "height": 740}, has_touch=True)
    await page.tab.wait_for_selector("#join:not([disabled])")
    assert await page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.tab.screenshot(path=pictures / "check-phone.png", full_page=True)
