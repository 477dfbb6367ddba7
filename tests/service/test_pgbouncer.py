"""The appointment service behind Debian's PgBouncer, whose pool is of transactions: nothing is lost between them."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import psycopg
import pytest
from telemed.appointment.v1 import appointment_service_pb2 as pb

from chassis.context import Role
from chassis.settings import SharedSettings
from stack.postgres import Postgres
from stack.postgres_home import SUPERUSER
from tests.fix_ledger import TEN
from tests.fix_own_postgres import backends, database_of
from tests.fix_practice import offered, open_practice
from tests.fix_services import Callers
from tests.fix_stack import free_ports, wait_until
from tests.refusals import reason_of

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_SERVER_CONNECTIONS = 3
_ROUNDS = 8
_BOOKERS = 12
_POOLED = """
[databases]
* = host={host} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
logfile = {folder}/pgbouncer.log
"""

pytestmark = pytest.mark.skipif(_PROGRAM is None, reason="pgbouncer is not installed: apt-get install pgbouncer")


@pytest.fixture
def pooled_url(own_postgres: Postgres) -> Iterator[str]:
    """The database of the appointment service through a PgBouncer that has few connections to give."""
    assert _PROGRAM is not None
    account = own_postgres.home.account  # PgBouncer refuses to run as root, as PostgreSQL does
    with (own_postgres.home.root / "ident.conf").open("a") as known:
        known.write(f'caller "{account.name}" {SUPERUSER}\n')
    assert own_postgres.pid is not None
    os.kill(own_postgres.pid, signal.SIGHUP)
    with tempfile.TemporaryDirectory(prefix="telemed-tests-") as name:
        folder, port = Path(name), free_ports(1)
        folder.chmod(0o777)
        settings = folder / "pgbouncer.ini"
        host, size = own_postgres.home.socket_folder, _SERVER_CONNECTIONS
        settings.write_text(_POOLED.format(host=host, user=SUPERUSER, port=port, size=size, folder=folder))
        with subprocess.Popen([_PROGRAM, "-q", str(settings)], **account.credentials) as pooler:
            url = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/telemed_appointment"
            try:
                wait_until(lambda: _answers(url), "PgBouncer answers")
                yield url
            finally:
                pooler.terminate()


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


async def test_bookings_moves_and_the_feed_work_through_a_pool_of_transactions(
    pooled_url: str, own_postgres: Postgres, shared: SharedSettings, callers: Callers
):
    async with open_practice(
        pooled_url,
        shared,
        callers,
        direct_database_url=database_of(own_postgres),
        database_pooler="transaction",
        pool_size=12,
    ) as clinic:
        booked: set[str] = set()
        for number in range(_ROUNDS):
            start = TEN + timedelta(minutes=40 * number)
            clinic.doctors.matches.clear()
            match = clinic.doctors.offer(exact_slot=offered(start))
            answers = await asyncio.gather(
                *(clinic.book(match, start) for _ in range(_BOOKERS)), return_exceptions=True
            )
            booked |= {answer.appointment.id for answer in answers if isinstance(answer, pb.BookResponse)}
            lost = Counter(reason_of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError))
            assert lost == {"SLOT_TAKEN": _BOOKERS - 1}
        assert len(booked) == _ROUNDS
        metadata = callers.metadata(Role.ADMIN)
        reads = (
            clinic.appointments.GetAppointment(pb.GetAppointmentRequest(id=booked_id), metadata=metadata)
            for booked_id in booked
            for _ in range(_ROUNDS)  # often enough for statements to be prepared, where they are
        )
        assert len(await asyncio.gather(*reads)) == _ROUNDS * _ROUNDS
        changes = clinic.appointments.WatchChanges(pb.WatchChangesRequest(), metadata=metadata)
        seen: set[str] = set()
        async with asyncio.timeout(60):
            async for message in changes:
                seen |= {message.change.appointment.id} - {""}
                if seen == booked:
                    break
    # Those of the pooler, and the one that listens.
    assert len(backends(own_postgres)) <= _SERVER_CONNECTIONS + 1
