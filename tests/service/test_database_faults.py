"""PostgreSQL stops, freezes, is full: every answer is typed and says when to come again, and all is well afterwards."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2
from telemed.appointment.v1.appointment_service_pb2 import BookResponse

from chassis.settings import SharedSettings
from stack.postgres import Postgres
from tests.fix_ledger import TEN
from tests.fix_own_postgres import all_connections_taken, backends, database_of, frozen
from tests.fix_practice import Practice, offered, open_practice
from tests.fix_services import Callers
from tests.refusals import detail

AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
# Longer than any answer may take; what comes later was held up by something else than its deadline.
PATIENCE_SECONDS = 60


@pytest.fixture
async def clinic(own_postgres: Postgres, shared: SharedSettings, callers: Callers) -> AsyncIterator[Practice]:
    async with open_practice(database_of(own_postgres), shared, callers, pool_size=4) as opened:
        yield opened


class Bookings:
    """Books one time after the other, and keeps what was granted."""

    def __init__(self, clinic: Practice) -> None:
        self.clinic = clinic
        self.granted: list[str] = []
        self._count = 0

    async def book(self) -> grpc.StatusCode:
        """One booking; a refusal must be one of infrastructure, and say when to come again."""
        start = TEN + timedelta(days=self._count // 10, minutes=40 * (self._count % 10))
        self._count += 1
        self.clinic.doctors.matches.clear()
        match = self.clinic.doctors.offer(exact_slot=offered(start))
        async with asyncio.timeout(PATIENCE_SECONDS):
            (reply,) = await asyncio.gather(self.clinic.book(match, start), return_exceptions=True)
        if isinstance(reply, BookResponse):
            self.granted.append(reply.appointment.id)
            return grpc.StatusCode.OK
        assert isinstance(reply, grpc.aio.AioRpcError)
        assert reply.code() in AWAY, reply.details()
        assert detail(reply, error_details_pb2.RetryInfo()).retry_delay.ToMilliseconds() > 0
        return reply.code()

    async def until_granted(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.book() is not grpc.StatusCode.OK:  # noqa: ASYNC110 - the server has no event to wait for
                await asyncio.sleep(0.1)

    def are_kept(self, server: Postgres) -> bool:
        """Whether the ledger holds all that was granted."""
        with psycopg.connect(database_of(server), autocommit=True) as connection:
            rows = connection.execute("SELECT appointment_id::text FROM appointment").fetchall()
        return set(self.granted) <= {row[0] for row in rows}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_restart_is_refused_with_a_time_to_come_again_and_then_forgotten(
    how: signal.Signals, clinic: Practice, own_postgres: Postgres
):
    bookings = Bookings(clinic)
    await bookings.until_granted()
    assert own_postgres.pid is not None
    await asyncio.to_thread(_end, own_postgres, how)
    assert await bookings.book() in AWAY
    await asyncio.to_thread(own_postgres.start)
    await bookings.until_granted()
    assert bookings.are_kept(own_postgres)


def _end(server: Postgres, how: signal.Signals) -> None:
    assert server.pid is not None
    os.kill(server.pid, how)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.pid is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.stop()


async def test_connections_that_were_ended_while_idle_fail_no_call(clinic: Practice, own_postgres: Postgres):
    bookings = Bookings(clinic)
    await bookings.until_granted()
    ended = backends(own_postgres)
    with psycopg.connect(own_postgres.url(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", (ended,))
    assert await bookings.book() is grpc.StatusCode.OK
    assert not set(ended) & set(backends(own_postgres))


async def test_a_frozen_server_is_waited_for_no_longer_than_the_deadline(clinic: Practice, own_postgres: Postgres):
    bookings = Bookings(clinic)
    await bookings.until_granted()
    assert own_postgres.pid is not None
    everything = [own_postgres.pid, *backends(own_postgres)]
    with frozen(everything):
        assert await bookings.book() in AWAY
    await bookings.until_granted()
    assert bookings.are_kept(own_postgres)


async def test_a_server_without_room_is_away_until_there_is_room(clinic: Practice, own_postgres: Postgres):
    bookings = Bookings(clinic)
    await bookings.until_granted()
    ours = backends(own_postgres)
    with all_connections_taken(own_postgres) as others:
        others.take_the_place_of(ours)
        assert await bookings.book() is grpc.StatusCode.UNAVAILABLE
    await bookings.until_granted()
    assert bookings.are_kept(own_postgres)
