"""The time-limited credentials of coturn, against values worked out by hand."""

from datetime import UTC, datetime, timedelta

from video_svc.domain.media import IceServers
from video_svc.peers.coturn import Coturn

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
URLS = ("turn:turn.example:3478?transport=udp", "turns:turn.example:5349?transport=tcp")


def coturn(now: datetime = NOW) -> Coturn:
    return Coturn(URLS, "a shared secret", clock=lambda: now)


async def issued(lifetime: timedelta = timedelta(hours=1), now: datetime = NOW) -> IceServers:
    return await coturn(now).ice_servers("opaque", lifetime)


async def test_the_user_name_tells_when_it_ends_and_nothing_of_the_person() -> None:
    ice = await issued()
    assert ice.servers[0].urls == URLS
    assert ice.servers[0].username == "1772640000:opaque"
    assert ice.expires == NOW + timedelta(hours=1)


async def test_the_password_is_the_hmac_of_the_user_name() -> None:
    # echo -n 1772640000:opaque | openssl dgst -sha1 -hmac 'a shared secret' -binary | base64
    assert (await issued()).servers[0].credential == "woeTETLHHCvck3hNJf3ouRnXwG4="


async def test_a_fraction_of_a_second_is_given_and_never_taken() -> None:
    ice = await issued(now=NOW + timedelta(milliseconds=1))
    assert ice.servers[0].username == "1772640001:opaque"
    assert ice.expires == NOW + timedelta(hours=1, seconds=1)


async def test_neither_secret_nor_password_is_shown() -> None:
    ice = await issued()
    assert "a shared secret" not in repr(coturn())
    assert ice.servers[0].credential not in repr(ice)


async def test_it_keeps_no_list_so_the_same_moment_gives_the_same_again() -> None:
    first = await issued()
    await coturn().revoke(first.servers[0].username)
    assert await issued() == first
    assert (await coturn().health()).name == "coturn"
