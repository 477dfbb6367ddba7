"""Two real pages in a visit: the patient waits, the doctor lets them in, and both see each other."""

import asyncio
from pathlib import Path

import pytest

from chassis.context import Role
from tests.browser.conftest import Browsers, Page, Web
from tests.fix_video import Booked


@pytest.fixture
async def visit(web: Web) -> tuple[Booked, str]:
    """A visit that can be joined now, and its session."""
    booked = Booked()
    web.visits.feed.tell(booked)
    return booked, await web.session_of(booked)


async def patient_of(web: Web, browsers: Browsers, visit: tuple[Booked, str]) -> Page:
    return await browsers.open(web.url(visit[1], Role.PATIENT, visit[0].patient_id))


async def doctor_of(web: Web, browsers: Browsers, visit: tuple[Booked, str]) -> Page:
    return await browsers.open(web.url(visit[1], Role.DOCTOR, visit[0].doctor_id))


async def met(web: Web, browsers: Browsers, visit: tuple[Booked, str]) -> tuple[Page, Page]:
    """Patient and doctor, who see each other."""
    patient, doctor = await asyncio.gather(patient_of(web, browsers, visit), doctor_of(web, browsers, visit))
    await patient.press("join")
    await patient.shows("waiting")
    await doctor.press("join")
    await doctor.shows("call")
    await doctor.press("admit")
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
    return patient, doctor


async def test_a_whole_visit(web: Web, browsers: Browsers, visit: tuple[Booked, str], pictures: Path) -> None:
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
