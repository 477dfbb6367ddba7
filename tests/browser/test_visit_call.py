"""Two real pages in a visit: the patient waits, the doctor lets them in, and both see each other."""

import asyncio
from pathlib import Path

import pytest

from chassis.context import Role
from tests.browser.conftest import Browsers, Visit, Web, doctor_of, met, patient_of, served, visit_of
from tests.fix_video import House


@pytest.fixture
async def visit(web: Web) -> Visit:
    """A visit that can be joined now, and its session."""
    return await visit_of(web)


async def test_a_whole_visit(web: Web, browsers: Browsers, visit: Visit, pictures: Path) -> None:
    patient, doctor = await asyncio.gather(patient_of(web, browsers, visit), doctor_of(web, browsers, visit))
    await patient.press("join")
    await patient.shows("waiting")
    await patient.tab.screenshot(path=pictures / "waiting.png")

    await doctor.press("join")
    await doctor.shows("call")
    await doctor.tab.wait_for_selector("#door:not([hidden])")
    await doctor.tab.screenshot(path=pictures / "door.png")
    assert await patient.frames() == 0, "nothing is seen before the doctor lets them in"

    await doctor.press("admit")
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
    session = await web.visits.until(visit[1], lambda session: session.state == web.LIVE)
    assert len(session.participants) == 2
    await asyncio.gather(
        doctor.tab.screenshot(path=pictures / "call-doctor.png"),
        patient.tab.screenshot(path=pictures / "call-patient.png"),
    )

    await patient.tab.reload()
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
    assert await doctor.tab.is_hidden("#door"), "who was let in once need not knock again"

    await doctor.press("end")
    await doctor.press("confirm-yes")
    await asyncio.gather(patient.shows("end"), doctor.shows("end"))
    assert await patient.text("#end-title") == "The visit is over"
    assert await patient.tab.is_hidden("#again")
    await patient.tab.screenshot(path=pictures / "end.png")
    await web.visits.until(visit[1], lambda session: session.state == web.ENDED)
    assert patient.faults + doctor.faults == []


async def test_muting_and_hiding_reach_the_other_side_and_are_told(web: Web, browsers: Browsers, visit: Visit) -> None:
    patient, doctor = await met(web, browsers, visit)
    await patient.press("mute")
    assert await patient.text("#mute") == "Unmute"
    assert await patient.tab.get_attribute("#mute", "aria-pressed") == "true"
    assert await patient.tab.inner_text("#status") == "You are muted."
    assert await patient.tab.evaluate("document.getElementById('self').srcObject.getAudioTracks()[0].enabled") is False
    await patient.press("camera")
    assert await patient.text("#camera") == "Camera on"
    # A camera that is off sends black, which is dark in the middle of the picture.
    await doctor.sees_brightness(0, 10)
    await patient.press("camera")
    await patient.press("mute")
    assert await patient.text("#mute") == "Mute"
    await doctor.sees_brightness(30, 255)


async def test_whoever_leaves_is_missed_and_may_come_back(
    web: Web, browsers: Browsers, visit: Visit, pictures: Path
) -> None:
    patient, doctor = await met(web, browsers, visit)
    await patient.press("leave")
    await patient.shows("end")
    await doctor.tab.wait_for_selector("#remote-none:not([hidden])")
    assert await doctor.text("#remote-none") == "The other participant is not here yet."
    await web.visits.until(visit[1], lambda session: session.state == web.INTERRUPTED)
    await patient.tab.screenshot(path=pictures / "left.png")
    await patient.press("again")
    await patient.shows("check")
    await patient.press("join")
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
    await web.visits.until(visit[1], lambda session: session.state == web.LIVE)


async def test_whoever_is_not_let_in_is_told_so(web: Web, browsers: Browsers, visit: Visit) -> None:
    patient, doctor = await asyncio.gather(patient_of(web, browsers, visit), doctor_of(web, browsers, visit))
    await patient.press("join")
    await patient.shows("waiting")
    await doctor.press("join")
    await doctor.press("reject")
    await patient.shows("end")
    assert await patient.text("#end-title") == "The doctor cannot see you right now"
    assert await patient.tab.is_visible("#again")
    assert await patient.frames() == 0


async def test_a_second_window_takes_over_and_the_first_says_so(web: Web, browsers: Browsers, visit: Visit) -> None:
    first, doctor = await met(web, browsers, visit)
    second = await patient_of(web, browsers, visit)
    await second.press("join")
    await second.shows("call")
    await first.shows("end")
    assert await first.text("#end-title") == "The visit goes on elsewhere"
    await asyncio.gather(second.sees_more_frames(), doctor.sees_more_frames())


async def test_the_call_outlives_its_event_streams(video_house: House, browsers: Browsers) -> None:
    async with served(video_house, stream_seconds=1.5) as web:
        visit = await visit_of(web)
        patient, doctor = await met(web, browsers, visit)
        opened = len(patient.streams)
        await patient.opens_streams(opened + 3)
        await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
        assert await patient.tab.is_hidden("#alert"), "a stream that comes back at once worries nobody"
        await doctor.press("end")
        await doctor.press("confirm-yes")
        await patient.shows("end")
        resumed = [int(url.split("after_seq=")[1]) for url in patient.streams]
        assert resumed == sorted(resumed), "each stream goes on where the one before was"
        assert resumed[-1] > 0


async def test_no_address_ever_holds_a_token_and_no_ticket_is_used_twice(
    web: Web, browsers: Browsers, visit: Visit
) -> None:
    patient, doctor = await met(web, browsers, visit)
    await patient.tab.reload()
    await patient.shows("call")
    tickets = [url.split("ticket=")[1].split("&")[0] for url in patient.streams + doctor.streams]
    assert len(tickets) == len(set(tickets)) >= 3
    assert not [url for url in patient.asked + doctor.asked if "token=" in url or "eyJ" in url]
    assert {url.split("/")[2] for url in patient.asked} == {web.base_url.split("/")[2]}, "nobody else is asked"


async def test_the_call_fits_a_phone(web: Web, browsers: Browsers, visit: Visit, pictures: Path) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": "dark"}
    url = web.url(visit[1], Role.DOCTOR, visit[0].doctor_id)
    patient, doctor = await asyncio.gather(patient_of(web, browsers, visit), browsers.open(url, **phone))
    await patient.press("join")
    await patient.shows("waiting")
    await doctor.press("join")
    await doctor.tab.wait_for_selector("#door:not([hidden])")
    await doctor.tab.screenshot(path=pictures / "door-phone.png")
    await doctor.press("admit")
    await doctor.sees_more_frames()
    await doctor.tab.screenshot(path=pictures / "call-phone.png")
    size = await doctor.tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [360, 740], "nothing has to be scrolled"
    for button in ("mute", "camera", "leave", "end"):
        box = await doctor.tab.locator(f"#{button}").bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44


async def test_the_visit_can_be_had_with_the_keyboard_alone(web: Web, browsers: Browsers, visit: Visit) -> None:
    patient, doctor = await asyncio.gather(patient_of(web, browsers, visit), doctor_of(web, browsers, visit))
    await patient.press("join")
    await patient.shows("waiting")
    await doctor.type_until("join")
    await doctor.shows("call")
    assert await doctor.tab.evaluate("document.activeElement.id") == "call-title"
    await doctor.tab.wait_for_selector("#door:not([hidden])")
    await doctor.type_until("admit")
    await doctor.sees_more_frames()
    await doctor.type_until("end")
    assert await doctor.tab.evaluate("document.activeElement.closest('dialog') !== null")
    await doctor.type_until("confirm-yes")
    await asyncio.gather(patient.shows("end"), doctor.shows("end"))
    assert await doctor.tab.evaluate("document.activeElement.id") == "end-title"
