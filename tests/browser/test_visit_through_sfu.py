"""The same visit through Cloudflare's adapter: two real pages, and real media in the double of the provider."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.conftest import Browsers, Web, met, served, visit_of
from tests.doubles.cloudflare import CloudflareDouble, cloudflare
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET
from tests.doubles.media_sfu import RelayEngine, on_loopback
from tests.fix_video import House
from video_svc.provider_settings import CloudflareSettings


@pytest.fixture
async def engine() -> AsyncIterator[RelayEngine]:
    """What forwards real media."""
    engine = RelayEngine()
    with on_loopback():
        yield engine
        await engine.stop()


@pytest.fixture
async def sfu(engine: RelayEngine) -> AsyncIterator[CloudflareDouble]:
    """The provider."""
    async with cloudflare(engine) as double:
        yield double


@pytest.fixture
async def web(video_house: House, sfu: CloudflareDouble) -> AsyncIterator[Web]:
    """Visits through the provider."""
    account = CloudflareSettings(realtime_app_id=APP_ID, realtime_api_token=APP_SECRET, realtime_base_url=sfu.base_url)
    async with served(video_house, media_provider="cloudflare", cloudflare=account) as web:
        yield web


async def test_a_whole_visit_through_the_provider(
    web: Web, browsers: Browsers, sfu: CloudflareDouble, pictures: Path
) -> None:
    visit = await visit_of(web)
    patient, doctor = await met(web, browsers, visit)
    await web.visits.until(visit[1], lambda session: session.state == web.LIVE)
    await doctor.tab.screenshot(path=pictures / "sfu-doctor.png")
    assert set(sfu.operations()) >= {"sessions/new", "tracks/new", "renegotiate"}
    assert len(sfu.sessions) == 2

    await patient.tab.reload()
    await patient.shows("call")
    await asyncio.gather(patient.sees_more_frames(), doctor.sees_more_frames())
    assert len(sfu.sessions) == 3, "a page that was loaded again has a session of its own"

    await doctor.press("end")
    await doctor.press("confirm-yes")
    await asyncio.gather(patient.shows("end"), doctor.shows("end"))
    assert patient.faults + doctor.faults == []
    async with asyncio.timeout(20):
        while any(sfu.open_tracks(session_id) for session_id in sfu.sessions):  # noqa: ASYNC110 - as the sweeper works
            await asyncio.sleep(0.1)


async def test_a_connection_that_the_provider_drops_is_made_anew(
    web: Web, browsers: Browsers, sfu: CloudflareDouble, engine: RelayEngine
) -> None:
    visit = await visit_of(web)
    patient, doctor = await met(web, browsers, visit)
    dropped = next(iter(sfu.sessions))
    sfu.sessions.pop(dropped)
    await engine.connections.pop(dropped).close()
    async with asyncio.timeout(60):
        while len(sfu.sessions) < 2:  # noqa: ASYNC110 - the provider tells no event
            await asyncio.sleep(0.1)
    await asyncio.gather(patient.sees_more_frames(60), doctor.sees_more_frames(60))
    await web.visits.until(visit[1], lambda session: session.state == web.LIVE)
    assert await patient.tab.is_visible("#screen-call")
    assert await doctor.tab.is_visible("#screen-call")
