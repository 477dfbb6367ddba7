"""The double of Cloudflare, and the adapters that speak to it with short pauses and timeouts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.doubles.cloudflare import CloudflareDouble, cloudflare
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET, TURN_KEY_ID, TURN_KEY_TOKEN
from tests.doubles.sfu_engine import text_sdp
from video_svc.app.media_errors import MediaError
from video_svc.domain.media import LocalTrack, Negotiated, Sdp, SdpKind, TrackRef
from video_svc.peers.breaker import Breaker
from video_svc.peers.cloudflare_http import CloudflareHttp
from video_svc.peers.cloudflare_sfu import CloudflareSfu
from video_svc.peers.cloudflare_turn import CloudflareTurn

# Long enough for a busy machine; and so short that waiting for no answer is no waste.
TIMEOUT_SECONDS, HASTY_SECONDS = 10.0, 0.3


def http_to(
    base_url: str, token: str, breaker: Breaker | None = None, timeout_seconds: float = TIMEOUT_SECONDS
) -> CloudflareHttp:
    """The adapters' client, with short pauses."""
    breaker = breaker or Breaker(most_failures=100)
    return CloudflareHttp(base_url, token, breaker, timeout_seconds=timeout_seconds, first_pause_seconds=0.001)


@dataclass
class Sfu:
    """The SFU adapter with the double behind it."""

    double: CloudflareDouble
    adapter: CloudflareSfu

    async def publishing(self, *names: str) -> str:
        """A session that publishes those tracks."""
        session_id = await self.adapter.open_session("label")
        await self.publish(session_id, *names)
        return session_id

    async def publish(self, session_id: str, *names: str) -> Negotiated:
        tracks = [LocalTrack(str(number), name) for number, name in enumerate(names)]
        return await self.adapter.publish(session_id, offer_of(len(names)), tracks)

    async def subscribe(self, session_id: str, source: str, *names: str) -> Negotiated:
        return await self.adapter.subscribe(session_id, [TrackRef(source, name) for name in names])


def offer_of(sections: int) -> Sdp:
    """A browser's offer with so many places."""
    return Sdp(SdpKind.OFFER, text_sdp([str(number) for number in range(sections)]))


def answer_to(negotiated: Negotiated) -> Sdp:
    """The browser's answer to an offer."""
    assert negotiated.sdp is not None
    return Sdp(SdpKind.ANSWER, negotiated.sdp.text)


@pytest.fixture
async def double() -> AsyncIterator[CloudflareDouble]:
    """A provider of sessions and credentials without media."""
    async with cloudflare() as double:
        yield double


@pytest.fixture
async def sfu(double: CloudflareDouble) -> AsyncIterator[Sfu]:
    http = http_to(double.base_url, APP_SECRET)
    yield Sfu(double, CloudflareSfu(http, APP_ID))
    await http.close()


@pytest.fixture
async def hasty(double: CloudflareDouble) -> AsyncIterator[Sfu]:
    """One that gives up on an answer soon."""
    http = http_to(double.base_url, APP_SECRET, timeout_seconds=HASTY_SECONDS)
    yield Sfu(double, CloudflareSfu(http, APP_ID))
    await http.close()


@pytest.fixture
async def turn(double: CloudflareDouble) -> AsyncIterator[CloudflareTurn]:
    http = http_to(double.base_url, TURN_KEY_TOKEN)
    yield CloudflareTurn(http, TURN_KEY_ID)
    await http.close()


async def failure(call: object) -> MediaError:
    """The error that a call of a provider ends in."""
    with pytest.raises(MediaError) as caught:
        await call  # type: ignore[misc]
    return caught.value
