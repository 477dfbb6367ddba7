"""The page tells the person and the service how well the call runs."""

import asyncio

from telemed.video.v1 import quality_pb2

from chassis.context import Role
from tests.browser.conftest import Browsers, Web, met, visit_of


async def test_the_page_shows_the_quality_and_reports_it(web: Web, browsers: Browsers) -> None:
    visit = await visit_of(web)
    patient, doctor = await met(web, browsers, visit)
    for page in (patient, doctor):
        # The word of a reading, and no longer that of a connection which has only just been made.
        await page.tab.wait_for_selector("#quality-text:text-matches('(Good|Fair|Poor) connection')", timeout=30_000)
    request = quality_pb2.GetSessionStatsRequest(session_id=visit[1])
    metadata = web.visits.callers.metadata(Role.ADMIN)
    async with asyncio.timeout(60):
        while True:
            stats = await web.visits.stub.GetSessionStats(request, metadata=metadata)
            if len(stats.participants) == 2:
                break
            await asyncio.sleep(0.5)
    for participant in stats.participants:
        assert 1 < participant.median_mean_opinion_score <= 4.5
        assert participant.average_bitrate_kbps > 0
        assert 1 <= stats.quality_rating <= 5
    assert patient.faults + doctor.faults == []
