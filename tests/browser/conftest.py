"""Chromium for the tests of the visit page, and a video service with a gateway in front, in this very process.

Without Chromium the tests are skipped, and say why; TELEMED_BROWSER_TESTS=required makes its absence a failure.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from telemed.video.v1 import video_service_pb2

from chassis.context import Role
from chassis.tokens import verifier_of
from gateway.app import Gateway, Limits
from gateway.http import BodyLimits
from gateway.limits.guard import RateGuard
from gateway.limits.local import LocalBuckets
from gateway.serve import http_server, listener
from gateway.settings import GatewaySettings
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams
from tests.fix_services import until
from tests.fix_video import Booked, House, Visits

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# A camera and a microphone that are made up, and connections over loopback where there is no other network.
_FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
_BRIGHTNESS = """(() => {
  const canvas = new OffscreenCanvas(8, 8), context = canvas.getContext("2d");
  context.drawImage(document.getElementById("remote"), 0, 0, 8, 8);
  const pixels = context.getImageData(2, 2, 4, 4).data;
  return pixels.reduce((sum, value, index) => (index % 4 === 3 ? sum : sum + value), 0) / (16 * 3);
})()"""
_SERVICE = video_service_pb2.DESCRIPTOR.services_by_name["VideoService"]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Any]:
    """A browser without a window."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        reason = "no Chromium is installed (Debian: apt-get install chromium)"
        if os.environ.get("TELEMED_BROWSER_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.async_api import async_playwright  # noqa: PLC0415 - slow to load, and only wanted here

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, headless=True, args=_FLAGS)
        yield browser
        await browser.close()


@dataclass
class Page:
    """One participant's tab.

    `faults` are what its scripts complained of, and refusals that no page should meet; `asked` the addresses that it
    asked for. An answer of 409 is no fault: so the service tells whoever is slow that an attempt was followed by
    another, and on a busy machine somebody is.
    """

    tab: Any
    faults: list[str]
    asked: list[str]

    async def shows(self, screen: str, seconds: float = 15) -> None:
        """Returns once that screen is there."""
        await self.tab.wait_for_selector(f"#screen-{screen}:not([hidden])", timeout=seconds * 1000)

    async def opens_streams(self, number: int, seconds: float = 30) -> None:
        """Returns once so many event streams were opened."""
        async with asyncio.timeout(seconds):
            while len(self.streams) < number:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.1)

    async def press(self, button: str) -> None:
        """Presses a button by its id, once it can be pressed."""
        await self.tab.click(f"#{button}:not([disabled])")

    async def frames(self) -> int:
        """How many frames of the other side were decoded so far."""
        return await self.tab.evaluate("document.getElementById('remote').getVideoPlaybackQuality().totalVideoFrames")

    async def sees_more_frames(self, seconds: float = 60) -> None:
        """Returns once ten more frames were decoded than before."""
        before = await self.frames()
        async with asyncio.timeout(seconds):
            while await self.frames() < before + 10:  # noqa: ASYNC110 - the browser tells no event
                await asyncio.sleep(0.1)

    async def sees_brightness(self, least: float, most: float, seconds: float = 15) -> None:
        """Returns once the middle of the other side's picture is that bright, of 0 to 255."""
        async with asyncio.timeout(seconds):
            while not least <= float(await self.tab.evaluate(_BRIGHTNESS)) <= most:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)

    @property
    def streams(self) -> list[str]:
        """The addresses of the event streams that were opened."""
        return [url for url in self.asked if "/events?" in url]

    async def type_until(self, button: str) -> None:
        """Goes from control to control by the keyboard until a button has the focus, and presses it."""
        await self.tab.wait_for_selector(f"#{button}:not([disabled])")
        for _ in range(20):
            await self.tab.keyboard.press("Tab")
            if await self.tab.evaluate("document.activeElement.id") == button:
                await self.tab.keyboard.press("Enter")
                return
        pytest.fail(f"{button} cannot be reached by the keyboard")

    async def text(self, selector: str) -> str:
        return str(await self.tab.inner_text(selector))


def is_complaint(message: Any) -> bool:
    """Whether a line of the console tells of an error in the page. Refused requests are told by their answers."""
    return message.type == "error" and not message.text.startswith("Failed to load resource: the server responded")


def is_refusal(answer: Any) -> bool:
    """Whether the service would not have what the page asked for."""
    return answer.status >= HTTPStatus.BAD_REQUEST and answer.status != HTTPStatus.CONFLICT


@dataclass
class Browsers:
    """Opens tabs, each as if on a machine of its own."""

    chromium: Any
    contexts: list[Any]

    async def open(self, url: str, **options: Any) -> Page:
        context = await self.chromium.new_context(permissions=["camera", "microphone"], **options)
        self.contexts.append(context)
        tab, faults, asked = await context.new_page(), [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda message: faults.append(message.text) if is_complaint(message) else None)
        tab.on(
            "response", lambda answer: faults.append(f"{answer.status} {answer.url}") if is_refusal(answer) else None
        )
        await tab.goto(url)
        return Page(tab, faults, asked)


@pytest.fixture
async def browsers(chromium: Any) -> AsyncIterator[Browsers]:
    """Tabs that close with the test."""
    browsers = Browsers(chromium, [])
    yield browsers
    for context in browsers.contexts:
        await context.close()


@dataclass
class Web:
    """The visits as browsers reach them."""

    visits: Visits
    base_url: str
    LIVE = video_service_pb2.SESSION_STATE_LIVE
    INTERRUPTED = video_service_pb2.SESSION_STATE_INTERRUPTED
    ENDED = video_service_pb2.SESSION_STATE_ENDED

    async def session_of(self, booked: Booked) -> str:
        """The session of a visit, once the service has heard of it."""
        request = video_service_pb2.ListSessionsRequest(appointment_id=booked.appointment_id)
        metadata = self.visits.callers.metadata(Role.ADMIN)
        async with asyncio.timeout(5):
            while True:
                found = await self.visits.stub.ListSessions(request, metadata=metadata, timeout=5)
                if found.sessions:
                    return str(found.sessions[0].session_id)
                await asyncio.sleep(0.02)

    def url(self, session_id: str, role: Role, subject: str) -> str:
        """The address of a visit with the caller's token in its fragment."""
        return f"{self.base_url}/visit/{session_id}#token={self.visits.callers.token(role, subject)}"


@asynccontextmanager
async def served(house: House, stream_seconds: float = 900, **settings: Any) -> AsyncIterator[Web]:
    """A video service and a gateway before it, for the length of the block."""
    async with house.service(**settings) as visits:
        upstreams = Upstreams({"telemed.video.v1": visits.target})
        limits = Limits(
            BodyLimits(most_bytes=128 * 1024, seconds=10),
            StreamLimits(heartbeat_seconds=15, longest_seconds=stream_seconds),
            call_seconds=10,
            rates=RateGuard(LocalBuckets(), per_address=None, per_user=None, proxies=0),
        )
        gateway = Gateway([_SERVICE], upstreams, verifier_of(house.shared), limits)
        server = http_server(gateway, GatewaySettings(upstreams={}, grace_seconds=1))
        with listener("127.0.0.1", 0) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            await until(lambda: server.started)
            try:
                yield Web(visits, f"http://127.0.0.1:{listening.getsockname()[1]}")
            finally:
                gateway.stopping.set()
                server.should_exit = True
                await serving
                await upstreams.close()


# A visit that can be joined now, and its session.
Visit: TypeAlias = tuple[Booked, str]


async def visit_of(web: Web) -> Visit:
    """A fresh one."""
    booked = Booked()
    web.visits.feed.tell(booked)
    return booked, await web.session_of(booked)


async def patient_of(web: Web, browsers: Browsers, visit: Visit) -> Page:
    return await browsers.open(web.url(visit[1], Role.PATIENT, visit[0].patient_id))


async def doctor_of(web: Web, browsers: Browsers, visit: Visit) -> Page:
    return await browsers.open(web.url(visit[1], Role.DOCTOR, visit[0].doctor_id))


async def met(web: Web, browsers: Browsers, visit: Visit) -> tuple[Page, Page]:
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


@pytest.fixture
async def web(video_house: House) -> AsyncIterator[Web]:
    """Visits from browser to browser."""
    async with served(video_house) as web:
        yield web


@pytest.fixture
def pictures() -> Path:
    """Where screenshots go, for people to look at."""
    folder = Path(os.environ.get("TELEMED_PICTURES", "build/pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
