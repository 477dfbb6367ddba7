"""How connections are opened: to which of several servers, and how soon one that is gone is given up."""

import psycopg

from appointment_svc.settings import AppointmentSettings
from chassis.connection import Connection, options
from chassis.migrations import migrate, require_current
from stack.databases import migrations_of, urls_on

TWO_SERVERS = "postgresql://telemed@one:5432,two:5433/postgres?target_session_attrs=read-write&connect_timeout=1"


def test_a_url_of_several_servers_stays_one_for_each_database():
    for service, url in urls_on(TWO_SERVERS).items():
        settings = AppointmentSettings(port=0, database_url=url, doctor_target="127.0.0.1:9")
        known = psycopg.conninfo.conninfo_to_dict(settings.direct_url)
        assert (known["host"], known["port"], known["dbname"]) == ("one,two", "5432,5433", f"telemed_{service}")
        assert known["target_session_attrs"] == "read-write"


async def test_a_machine_that_vanishes_is_given_up_within_seconds(appointment_db_url: str):
    async with await Connection.connect(appointment_db_url, **options(appointment_db_url)) as connection:
        said = connection.info.get_parameters()
    assert int(said["connect_timeout"]) <= 5
    assert int(said["keepalives_idle"]) + int(said["keepalives_interval"]) * int(said["keepalives_count"]) <= 10
    assert int(said["tcp_user_timeout"]) <= 10_000


def test_what_the_url_says_of_that_comes_first():
    found = options("postgresql://one/postgres?connect_timeout=7&tcp_user_timeout=99")
    assert not {"connect_timeout", "tcp_user_timeout"} & set(found)
    assert found["keepalives_idle"]


async def test_migrations_find_the_server_that_answers(appointment_db_url: str):
    where = psycopg.conninfo.conninfo_to_dict(appointment_db_url)
    hosts, ports = f"/nowhere,{where['host']}", f"5432,{where.get('port') or 5432}"
    url = psycopg.conninfo.make_conninfo(appointment_db_url, host=hosts, port=ports, target_session_attrs="read-write")
    folder = migrations_of("appointment")
    assert await migrate(url, folder) == 0
    await require_current(url, folder)
