"""What arrives in another order than it was sent: the page ends where it would have anyway."""

import asyncio
from typing import Any

from tests.browser.conftest import Browsers, Web, doctor_of, patient_of, visit_of


async def test_the_doctors_word_may_overtake_the_answer_that_says_wait(web: Web, browsers: Browsers) -> None:
    visit = await visit_of(web)
    doctor, patient = await asyncio.gather(doctor_of(web, browsers, visit), patient_of(web, browsers, visit))
    admitted = asyncio.Event()

    async def late(route: Any) -> None:
        answer = await route.fetch()
        await admitted.wait()
        await asyncio.sleep(0.5)
        await route.fulfill(response=answer)

    await patient.tab.route("**/start", late, times=1)
    await doctor.press("join")
    await patient.press("join")
    await doctor.press("admit")
    admitted.set()
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())


async def test_signals_may_overtake_the_answer_that_begins_the_attempt(web: Web, browsers: Browsers) -> None:
    visit = await visit_of(web)
    doctor, patient = await asyncio.gather(doctor_of(web, browsers, visit), patient_of(web, browsers, visit))

    async def late(route: Any) -> None:
        answer = await route.fetch()
        # By then the doctor's page has seen the attempt and has sent its offer.
        await asyncio.sleep(1.5)
        await route.fulfill(response=answer)

    await patient.press("join")
    await patient.shows("waiting")
    await patient.tab.route("**/start", late, times=1)
    await doctor.press("join")
    await doctor.press("admit")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
