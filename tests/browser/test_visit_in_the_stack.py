"""The demo's open visit as `make run` serves it and `telemed visit` tells it: every process is real, and the
appointment goes with the visit."""

import asyncio
import subprocess
import sys

import httpx

from chassis.context import Role
from stack.demo_visits import OPEN_VISIT
from tests.browser.conftest import Browsers
from tests.fix_clinic import Clinic
from tests.fix_stack import ROOT, StartStack


async def test_the_demos_visit_is_had_and_completes_its_appointment(
    start_stack: StartStack, browsers: Browsers
) -> None:
    stack = await asyncio.to_thread(start_stack)
    command = [sys.executable, "-m", "stack.cli", "visit", "--data", str(stack.data)]
    told = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True)
    pages = dict(line.split() for line in told.stdout.splitlines())

    patient, doctor = [await browsers.open(pages[role]) for role in (Role.PATIENT, Role.DOCTOR)]
    await patient.press("join")
    await patient.shows("waiting")
    await doctor.press("join")
    await doctor.press("admit")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())

    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}", timeout=30) as http:
        clinic = Clinic(stack.data, stack.port, http)
        await _becomes(clinic, "InProgress")
        await doctor.press("end")
        await doctor.press("confirm-yes")
        await asyncio.gather(patient.shows("end"), doctor.shows("end"))
        await _becomes(clinic, "Completed")
    assert patient.faults + doctor.faults == []


async def _becomes(clinic: Clinic, status: str) -> None:
    """Returns once the visit's appointment has that status."""
    async with asyncio.timeout(20):
        while True:
            booked = await asyncio.to_thread(clinic.ok, "GET", f"/appointments/{OPEN_VISIT}")
            if booked["status"] == status:
                return
            await asyncio.sleep(0.2)
