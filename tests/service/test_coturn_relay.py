"""Credentials of ours at a real coturn: with them two peers meet over its relay alone, without them nobody does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import aioice
import pytest
from aioice.ice import TransportPolicy
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from tests.doubles.media_sfu import on_loopback
from tests.fix_coturn import SECRET
from video_svc.domain.media import IceServer
from video_svc.peers.coturn import Coturn

HOUR = timedelta(hours=1)


async def credentials(coturn: Coturn, lifetime: timedelta = HOUR) -> tuple[tuple[str, int], IceServer]:
    """The server's address, and credentials for it."""
    server = (await coturn.ice_servers("opaque", lifetime)).servers[0]
    _, host, port = server.urls[0].removesuffix("?transport=udp").split(":")
    return (host, int(port)), server


async def peer(coturn: Coturn, *, controlling: bool, lifetime: timedelta = HOUR) -> aioice.Connection:
    """One end that may use the relay and nothing else, with its candidates."""
    address, server = await credentials(coturn, lifetime)
    connection = aioice.Connection(
        ice_controlling=controlling,
        turn_server=address,
        turn_username=server.username,
        turn_password=server.credential,
        transport_policy=TransportPolicy.RELAY,
    )
    with on_loopback():
        await connection.gather_candidates()
    return connection


async def meet(one: aioice.Connection, other: aioice.Connection) -> None:
    for here, there in ((one, other), (other, one)):
        here.remote_username, here.remote_password = there.local_username, there.local_password
        for candidate in there.local_candidates:
            await here.add_remote_candidate(candidate)
        await here.add_remote_candidate(None)


async def test_two_peers_talk_over_the_relay_alone(coturn: Coturn) -> None:
    one, other = await peer(coturn, controlling=True), await peer(coturn, controlling=False)
    assert {candidate.type for candidate in one.local_candidates} == {"relay"}
    await meet(one, other)
    await asyncio.gather(one.connect(), other.connect())
    await one.send(b"can you hear me?")
    assert await asyncio.wait_for(other.recv(), 5) == b"can you hear me?"
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("secret", "lifetime"),
    [("another secret", HOUR), (SECRET, timedelta(seconds=-30))],
    ids=["another secret", "run out"],
)
async def test_a_credential_that_is_not_good_gets_no_relay(coturn: Coturn, secret: str, lifetime: timedelta) -> None:
    address, server = await credentials(replace(coturn, secret=secret), lifetime)
    with pytest.raises(TransactionFailed) as refused:
        await create_turn_endpoint(
            asyncio.DatagramProtocol, address, server.username, server.credential, transport="udp"
        )
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401
    assert (await peer(replace(coturn, secret=secret), controlling=True, lifetime=lifetime)).local_candidates == []
