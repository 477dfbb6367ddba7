"""The parts of the `telemed` command that need no running stack: tokens, texts, refusals."""

import asyncio
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chassis.context import Role
from chassis.keys import FileKeys
from chassis.tokens import TokenVerifier
from kernel.errors import Unauthenticated
from stack import databases
from stack.cli import main
from stack.issuer import AUDIENCE, ISSUER, Issuer
from stack.plan import Plan, PlanError, processes_of
from stack.state import AlreadyRunningError, State, running_on, running_pid

PATIENT = "7b1de1b4-8b1c-4c5e-9a52-0c5f8f9b1a11"
GUARDIAN = "7b1de1b4-8b1c-4c5e-9a52-0c5f8f9b1a12"


def verifier_of(data: Path) -> TokenVerifier:
    return TokenVerifier(FileKeys(data / "issuer" / "jwks.json"), ISSUER, AUDIENCE)


def test_token_prints_a_token_alone_that_the_services_accept(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stack.cli", "token", "--role", "patient", "--subject", PATIENT]
    done = subprocess.run([*command, "--data", str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    caller = asyncio.run(verifier_of(tmp_path).verify(done.stdout.strip()))
    assert (caller.subject, caller.role) == (PATIENT, Role.PATIENT)


def test_a_token_for_a_guardian_says_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["token", "--data", str(tmp_path), "--role", "patient", "--subject", PATIENT, "--actor", GUARDIAN]
    assert main(command) == 0
    caller = asyncio.run(verifier_of(tmp_path).verify(capsys.readouterr().out.strip()))
    assert (caller.subject, caller.role, caller.actor) == (PATIENT, Role.PATIENT, GUARDIAN)


def test_nobody_acts_for_a_doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["token", "--data", str(tmp_path), "--role", "doctor", "--subject", PATIENT, "--actor", GUARDIAN]
    assert main(command) == 1
    assert "--actor" in capsys.readouterr().err


def test_a_token_carries_every_claim_and_its_key(tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path)
    now = datetime.now(UTC).replace(microsecond=0)
    token = issuer.mint(Role.ADMIN, PATIENT, now=now, ttl=timedelta(minutes=5))
    header = jwt.get_unverified_header(token)
    published = json.loads(issuer.jwks_file.read_text())["keys"][0]
    assert (header["alg"], header["typ"], header["kid"]) == ("ES256", "at+jwt", published["kid"])
    assert "d" not in published, "the private half stays at home"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {name: claims[name] for name in ("iss", "aud", "sub", "role")} == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": PATIENT,
        "role": "admin",
    }
    assert claims["iat"] == claims["nbf"] == int(now.timestamp())
    assert claims["exp"] - claims["iat"] == 300
    assert claims["jti"]


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    made: list[Issuer] = []
    threads = [threading.Thread(target=lambda: made.append(Issuer.of(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({issuer._key_id for issuer in made}) == 1
    assert (tmp_path / "issuer" / "private.pem").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "issuer").iterdir()) == ["jwks.json", "private.pem"]


def test_a_token_of_another_data_folder_is_foreign(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    Issuer.of(ours)
    foreign = Issuer.of(theirs).mint(Role.ADMIN, PATIENT, now=datetime.now(UTC), ttl=timedelta(minutes=5))
    with pytest.raises(Unauthenticated):
        asyncio.run(verifier_of(ours).verify(foreign))


def test_a_subject_that_is_no_uuid_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--role", "patient", "--subject", "me", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "telemed: --subject me is not a UUID\n"


@pytest.mark.parametrize("role", ["root", ""])
def test_a_role_that_does_not_exist_is_refused(role: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["token", "--role", role, "--subject", PATIENT, "--data", str(tmp_path)])


@pytest.mark.parametrize("verb", ["up", "down", "status", "token", "psql", "migrate", "forget"])
def test_every_command_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert "--data DIR" in capsys.readouterr().out


def test_status_down_and_psql_say_that_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert main(["status", *data]) == 3
    assert main(["down", *data]) == 0
    assert main(["psql", "doctor", *data]) == 1
    said = capsys.readouterr()
    assert said.out == f"nothing runs on {tmp_path}\n" * 2
    assert said.err.startswith(f"telemed: nothing runs on {tmp_path}")


@pytest.mark.parametrize("given", ["tomorrow", "2026-03-01", "2026-03-01T00:00:00"])
def test_a_clock_that_cannot_be_set_is_refused_before_anything_starts(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELEMED_NOW", given)
    assert main(["up", "--data", str(tmp_path)]) == 1
    assert f"TELEMED_NOW={given}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_nine_ports_follow_each_other_and_must_exist(tmp_path: Path) -> None:
    ports = {"gateway": 3000, "appointment": 3001, "doctor": 3002, "video": 3003}
    assert Plan(data=tmp_path, port=3000).ports == ports
    assert Plan(data=tmp_path, port=3000).admin_ports["gateway"] == 3004
    assert Plan(data=tmp_path, port=3000).console_port == 3008
    assert Plan(data=tmp_path, port=65_527).console_port == 65_535
    for port in (0, 65_528):
        with pytest.raises(PlanError):
            Plan(data=tmp_path, port=port)


def test_replicas_are_balanced_at_ports_ten_higher_behind_one_public_port(tmp_path: Path) -> None:
    plan = Plan(data=tmp_path, port=3000, replicas=2)
    processes = {one.name: one for one in processes_of(plan, databases.urls_on("postgresql:///x"), tmp_path / "j.json")}
    assert (plan.ports["appointment"], plan.ports["appointment-2"]) == (3001, 3011)
    assert (plan.admin_ports["video"], plan.admin_ports["video-2"]) == (3007, 3017)
    assert processes["gateway-2"].environment["GATEWAY_PORT"] == "3019"
    for name in ("doctor", "doctor-2"):
        assert processes[name].environment["DOCTOR_APPOINTMENT_TARGET"] == "ipv4:127.0.0.1:3001,127.0.0.1:3011"
    assert len({key["VIDEO_JOIN_KEY_FILE"] for key in (processes[n].environment for n in ("video", "video-2"))}) == 1
    for replicas in (0, 10):
        with pytest.raises(PlanError):
            Plan(data=tmp_path, port=3000, replicas=replicas)


def test_all_processes_share_one_clock_and_only_services_have_databases(tmp_path: Path) -> None:
    shown_at = datetime(2026, 1, 1, tzinfo=UTC)
    plan = Plan(data=tmp_path, port=3000, shows=datetime(2026, 3, 1, tzinfo=UTC), shown_at=shown_at)
    processes = processes_of(plan, databases.urls_on("postgresql:///postgres"), tmp_path / "jwks.json")
    assert [process.name for process in processes] == ["console", "appointment", "doctor", "video", "gateway"]
    for process in processes[1:]:
        assert process.environment["TELEMED_NOW"] == "2026-03-01T00:00:00+00:00"
        assert process.environment["TELEMED_NOW_AT"] == "2026-01-01T00:00:00+00:00"
        assert (f"{process.name.upper()}_DATABASE_URL" in process.environment) == (process.name != "gateway")


def where_traces_go(plan: Plan) -> set[str | None]:
    processes = processes_of(plan, databases.urls_on("postgresql:///postgres"), plan.data / "jwks.json")
    return {p.environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") for p in processes if p.name != "console"}


def test_traces_go_to_the_console_unless_the_user_has_a_place_for_them(tmp_path: Path) -> None:
    assert where_traces_go(Plan(data=tmp_path, port=3000)) == {"http://127.0.0.1:3008"}
    assert where_traces_go(Plan(data=tmp_path, port=3000, traces_to="http://collector:4318")) == {None}


@pytest.mark.parametrize("without", [{"demo": False}, {"console": False}])
def test_without_a_demo_or_a_wish_for_it_there_is_no_console(tmp_path: Path, without: dict[str, bool]) -> None:
    plan = Plan(data=tmp_path, port=3000, **without)  # type: ignore[arg-type]
    names = [p.name for p in processes_of(plan, databases.urls_on("postgresql:///postgres"), tmp_path / "jwks.json")]
    assert names == ["appointment", "doctor", "video", "gateway"]
    assert where_traces_go(plan) == {None}


def test_no_variable_means_the_embedded_database() -> None:
    assert databases.urls_from({}) is None


def test_one_server_serves_all_services_unless_one_has_its_own() -> None:
    urls = databases.urls_from(
        {"TELEMED_DATABASE_URL": "postgresql://db.example/x", "TELEMED_VIDEO_DATABASE_URL": "postgresql://v.example/y"}
    )
    assert urls is not None
    assert {service: conninfo_to_dict(url) for service, url in urls.items()} == {
        "appointment": {"host": "db.example", "dbname": "telemed_appointment"},
        "doctor": {"host": "db.example", "dbname": "telemed_doctor"},
        "video": {"host": "v.example", "dbname": "y"},
    }


def test_a_database_for_some_services_only_is_refused() -> None:
    with pytest.raises(databases.DatabaseConfigurationError, match="TELEMED_DOCTOR_DATABASE_URL, TELEMED_VIDEO"):
        databases.urls_from({"TELEMED_APPOINTMENT_DATABASE_URL": "postgresql:///a"})


def test_a_data_folder_is_held_once_and_let_go_at_the_end(tmp_path: Path) -> None:
    assert running_pid(tmp_path) is None
    with running_on(tmp_path) as was_killed:
        assert not was_killed
        assert running_pid(tmp_path) is not None
        with pytest.raises(AlreadyRunningError, match="telemed down"), running_on(tmp_path):
            pytest.fail("two hold it")
    assert running_pid(tmp_path) is None


def test_a_state_that_was_left_behind_tells_of_a_killed_run_and_of_nothing_that_runs(tmp_path: Path) -> None:
    State(pid=1, url="http://localhost:3000", database_urls={}).write(tmp_path)
    assert State.read(tmp_path) is None
    with running_on(tmp_path) as was_killed:
        assert was_killed


def test_forget_leaves_what_is_not_the_stacks(tmp_path: Path) -> None:
    Issuer.of(tmp_path)
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["forget", "--data", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


async def test_a_missing_database_is_created_once(postgres_url: str) -> None:
    name = f"test_made_{uuid4().hex[:8]}"
    url = make_conninfo(postgres_url, dbname=name)
    assert await databases.create_when_missing(url)
    assert not await databases.create_when_missing(url)
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        await connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
