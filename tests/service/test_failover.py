"""Two PostgreSQL servers: the first is lost, turned read-only or left alone, and nothing that was told is untrue."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, LiteralString

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.appointment.v1 import appointment_service_pb2 as pb

from appointment_svc.app.ports import Method, RequestKey
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.ledger import PostgresLedger
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.protos import fingerprint
from chassis.settings import SharedSettings
from chassis.signals import Signal
from stack.databases import database_name
from stack.postgres import Postgres
from stack.postgres_standby import ask, lose, promote, set_
from tests.fix_own_postgres import backends, database_of
from tests.fix_practice import ADMIN, Practice, open_practice
from tests.fix_services import Callers, until
from tests.fix_standby import Crowd, EveryDoctor, Servers, appointments_on, ask_to_book, wish

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNAVAILABLE, DEADLINE_EXCEEDED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED
BOOKINGS = 30
# Far more than it takes; what was measured is told beside the test.
PATIENCE_SECONDS = 20.0
# A commit that waits for a standby ends with its caller's deadline.
SHORT_SECONDS = 1.0
NUMBERED = """
SELECT array_agg(ARRAY[f.revision::text, e.appointment_id::text] ORDER BY f.revision)
FROM feed f JOIN event e USING (event_id)
"""
# What whoever listens said last: LISTEN, or now and then a question whether the server is still there.
LISTENERS = """
SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'LISTEN %%' OR query = 'SELECT pg_listening_channels()'
"""
COMMITS_BROKEN_OFF = """
SELECT count(*) FILTER (WHERE pg_cancel_backend(pid))::int FROM pg_stat_activity
WHERE wait_event = 'SyncRep' AND query LIKE '%%FROM book(%%'
"""


@asynccontextmanager
async def practice_on(url: str, shared: SharedSettings, callers: Callers) -> AsyncIterator[Practice]:
    async with open_practice(url, shared, callers, EveryDoctor(), pool_size=8) as opened:
        yield opened


@pytest.fixture
async def clinic(servers: Servers, shared: SharedSettings, callers: Callers) -> AsyncIterator[Practice]:
    async with practice_on(servers.url, shared, callers) as opened:
        yield opened


def asked(server: Postgres, question: LiteralString) -> Any:
    """The one value that the appointment service's database answers."""
    return ask(server, question, database=database_name("appointment"))


async def until_health(clinic: Practice, state: int) -> float:
    """Waits until the service says so, and tells when that was."""
    async with grpc.aio.insecure_channel(clinic.target) as channel, asyncio.timeout(PATIENCE_SECONDS):
        health = health_pb2_grpc.HealthStub(channel)
        while (await health.Check(health_pb2.HealthCheckRequest(), timeout=5)).status != state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return time.monotonic()


async def until_booked(clinic: Practice, request: pb.BookRequest) -> str:
    """Repeats a request until it is granted."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not isinstance(answer := await ask_to_book(clinic, request), str):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return answer


async def until_committed(clinic: Practice, request: pb.BookRequest, server: Postgres) -> None:
    """Asks until the server has one appointment more, of which nobody is told: it would be lost with the server."""
    before = len(appointments_on(server))
    while len(appointments_on(server)) == before:
        assert await ask_to_book(clinic, request, SHORT_SECONDS) is DEADLINE_EXCEEDED


@asynccontextmanager
async def watching(clinic: Practice) -> AsyncIterator[list[list[str]]]:
    """Reads the feed from its beginning while the block runs, and goes on where it was whenever the stream breaks."""
    seen: list[list[str]] = []

    async def watch() -> None:
        metadata = clinic.callers.metadata(Role.SERVICE)
        while True:
            request = pb.WatchChangesRequest(after_revision=seen[-1][0] if seen else "")
            stream = clinic.appointments.WatchChanges(request, metadata=metadata)
            with suppress(grpc.aio.AioRpcError):
                async for message in stream:
                    told = [message.change.revision, message.change.appointment.id]
                    seen.extend([told] if message.HasField("change") else [])
            assert await stream.code() is UNAVAILABLE
            await asyncio.sleep(0.05)

    watcher = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def test_a_lost_primary_costs_no_booking_and_the_feed_goes_on_on_the_standby(
    clinic: Practice, servers: Servers, record_property: Callable[[str, object], None]
):
    await until_health(clinic, SERVING)
    crowd = Crowd(clinic)
    async with watching(clinic) as seen:
        async with crowd.booking():
            await until(lambda: len(crowd.told) >= BOOKINGS, seconds=PATIENCE_SECONDS)
            lost = time.monotonic()
            await asyncio.to_thread(lose, servers.primary)
            not_serving = await until_health(clinic, NOT_SERVING)
            # Calls wait for a server as long as they may; who comes back in time is refused nothing.
            await until(lambda: len(crowd.refused) >= 2, seconds=PATIENCE_SECONDS)
            await asyncio.to_thread(promote, servers.standby)
            promoted, before = time.monotonic(), len(crowd.told)
            serving = await until_health(clinic, SERVING)
            await until(lambda: len(crowd.told) >= before + BOOKINGS, seconds=PATIENCE_SECONDS)
        assert len(crowd.told) == crowd.times, "one of each two rivals was told that it has the time"
        assert appointments_on(servers.standby) == sorted(crowd.told)
        await until(lambda: len(seen) >= len(crowd.told), seconds=PATIENCE_SECONDS)
        assert seen == asked(servers.standby, NUMBERED)
        assert [number for number, _ in seen] == [str(number + 1) for number in range(len(crowd.told))]
        await until(lambda: asked(servers.standby, LISTENERS) == 1, seconds=PATIENCE_SECONDS)
    record_property("seconds from the loss to NOT_SERVING", round(not_serving - lost, 2))
    record_property(
        "seconds from the promotion to SERVING, to the first booking, to the last refusal",
        (
            round(serving - promoted, 2),
            round(next(when for when in crowd.granted if when > promoted) - promoted, 2),
            round(max(crowd.refused) - promoted, 2),
        ),
    )


async def test_a_server_that_takes_no_writes_any_more_is_left_for_the_one_that_does(
    clinic: Practice, servers: Servers, shared: SharedSettings, callers: Callers
):
    told = [await until_booked(clinic, wish(0))]
    async with practice_on(database_of(servers.standby), shared, callers) as strayed:
        await until_health(strayed, SERVING)
        assert await ask_to_book(strayed, wish(0)) is UNAVAILABLE, "a standby has answers for readers alone"
    await asyncio.to_thread(set_, servers.primary, "default_transaction_read_only", "on")
    request = wish(1)
    assert await ask_to_book(clinic, request) is UNAVAILABLE
    await until_health(clinic, NOT_SERVING)
    await asyncio.to_thread(promote, servers.standby)
    told += [await until_booked(clinic, request), await until_booked(clinic, wish(2))]
    assert appointments_on(servers.standby) == sorted(told)
    # Who counts the month comes back to its connection every five minutes.
    await until(lambda: len(backends(servers.primary)) <= 1, seconds=PATIENCE_SECONDS)
    await until(lambda: asked(servers.standby, LISTENERS) == 1, seconds=PATIENCE_SECONDS)


async def saved_answer(url: str, request: pb.BookRequest) -> bytes | None:
    """What the ledger answers to a repeat, without the layers that stand between it and a caller."""
    database = Database(url, size=1)
    await database.open()
    try:
        ledger = PostgresLedger(database, Signal(), PostgresHolds(database, Signal()))
        caller, key = Caller(ADMIN, Role.ADMIN, ""), RequestKey(request.request_id, fingerprint(request))
        async with asyncio.timeout(SHORT_SECONDS):
            return await ledger.saved_answer(caller, Method.MANUAL, key)
    finally:
        await database.close()


async def test_nobody_is_told_of_a_booking_that_the_standby_does_not_have(
    clinic: Practice, servers: Servers, shared: SharedSettings, callers: Callers
):
    told = [await until_booked(clinic, wish(0))]
    late, broken_off, lost = wish(1), wish(2), wish(3)
    await asyncio.to_thread(servers.standby.stop)
    await until_committed(clinic, late, servers.primary)
    async with asyncio.timeout(PATIENCE_SECONDS), practice_on(servers.url, shared, callers) as replica:
        assert await ask_to_book(replica, late, SHORT_SECONDS) is DEADLINE_EXCEEDED, "a repeat knows no better"
    with pytest.raises(TimeoutError):
        await saved_answer(servers.url, late)
    asking = asyncio.create_task(ask_to_book(clinic, broken_off, PATIENCE_SECONDS))
    await until(lambda: asked(servers.primary, COMMITS_BROKEN_OFF) == 1, seconds=PATIENCE_SECONDS)
    assert await asking is UNAVAILABLE, "an administrator who ends a wait does not make it true"
    await asyncio.to_thread(servers.standby.start)
    told += [await until_booked(clinic, late), await until_booked(clinic, broken_off)]
    assert await saved_answer(servers.url, late)
    assert appointments_on(servers.primary) == sorted(told)
    await asyncio.to_thread(servers.standby.stop)
    await until_committed(clinic, lost, servers.primary)
    await asyncio.to_thread(lose, servers.primary)
    await asyncio.to_thread(servers.standby.start)
    await asyncio.to_thread(promote, servers.standby)
    assert appointments_on(servers.standby) == sorted(told)
    told.append(await until_booked(clinic, lost))
    assert appointments_on(servers.standby) == sorted(told)


async def test_a_connection_to_a_server_that_has_become_read_only_is_thrown_away(
    own_postgres: Postgres, shared: SharedSettings, callers: Callers
):
    async with practice_on(database_of(own_postgres), shared, callers) as clinic:
        await until_booked(clinic, wish(0))
        await asyncio.to_thread(set_, own_postgres, "default_transaction_read_only", "on")
        before = set(backends(own_postgres))
        assert await ask_to_book(clinic, wish(1)) is UNAVAILABLE
        assert before - set(backends(own_postgres)), "with one server alone there is no other to go to"
        await asyncio.to_thread(set_, own_postgres, "default_transaction_read_only", "off")
        await until_booked(clinic, wish(1))
