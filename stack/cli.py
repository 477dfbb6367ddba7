"""The `telemed` command: what it understands, and which function does it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.access_reader import AccessFilter
from chassis.chain_walk import Anchor
from chassis.context import Role
from chassis.ids import canonical_uuid
from chassis.migrations import MigrationError
from stack import audit, commands, up
from stack.databases import SERVICES, DatabaseConfigurationError
from stack.demo_visits import OPEN_VISIT
from stack.export import export as export_data
from stack.plan import GATEWAY, Plan, PlanError, default_data_folder
from stack.postgres import PostgresError
from stack.state import AlreadyRunningError
from stack.supervisor import StackError
from stack.tls import TlsConfigurationError
from stack.visit import visit as show_visit

_DEFAULT_PORT = 3000
_REFUSED = (
    AlreadyRunningError,
    DatabaseConfigurationError,
    MigrationError,
    PlanError,
    PostgresError,
    StackError,
    TlsConfigurationError,
    commands.CommandError,
)
_ENVIRONMENT = """\
environment:
  TELEMED_DATABASE_URL             a PostgreSQL server to use instead of the embedded one; the databases
                                   telemed_appointment, telemed_doctor and telemed_video are made there
  TELEMED_APPOINTMENT_DATABASE_URL one service's own database; likewise _DOCTOR_ and _VIDEO_
  TELEMED_NOW                      start the clock of all services there, such as 2026-03-01T00:00:00Z
                                   (demo and tests only); it ticks on
  OTEL_EXPORTER_OTLP_ENDPOINT      where traces are sent by OTLP/HTTP, instead of to the console
Every other variable reaches the services as it is.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 refused or not well, 2 not understood, 3 nothing runs."""
    own, passed_on = _split(sys.argv[1:] if arguments is None else arguments)
    grammar = parser()
    parsed = grammar.parse_args(own)
    if passed_on and not parsed.takes_more:
        grammar.error("nothing may follow --")
    parsed.passed_on = passed_on
    try:
        code: int = parsed.run(parsed)
    except _REFUSED as refusal:
        print(f"telemed: {refusal}", file=sys.stderr)
        return 1
    return code


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    root = argparse.ArgumentParser(
        prog="telemed",
        description="The whole clinic on one machine: PostgreSQL, three gRPC services and the JSON gateway.",
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.set_defaults(takes_more=False)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data",
        type=_folder,
        default=default_data_folder(),
        metavar="DIR",
        help="the folder of databases, keys, logs and state (default: %(default)s)",
    )
    verbs = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_up(verbs.add_parser("up", parents=[common], help="start everything and serve until Ctrl-C"))

    down = verbs.add_parser("down", parents=[common], help="stop what `up` started, and wait until it has ended")
    down.set_defaults(run=lambda parsed: commands.down(parsed.data))

    status = verbs.add_parser("status", parents=[common], help="processes, ports and health")
    status.set_defaults(run=lambda parsed: asyncio.run(commands.status(parsed.data)))

    _add_token(verbs.add_parser("token", parents=[common], help="print an access token of the local issuer"))

    visit = verbs.add_parser("visit", parents=[common], help="print the addresses of a visit's page, for both sides")
    visit.description = "Open the two addresses in two windows: the patient asks to join, the doctor lets them in."
    visit.add_argument(
        "appointment", nargs="?", default=OPEN_VISIT, metavar="UUID", help="whose visit (default: the demo's open one)"
    )
    visit.set_defaults(run=lambda parsed: show_visit(parsed.data, parsed.appointment, datetime.now(UTC)))

    psql = verbs.add_parser("psql", parents=[common], help="open a service's database in psql")
    psql.usage = "telemed psql [-h] [--data DIR] SERVICE [-- ARGUMENT ...]"
    psql.description = "Becomes psql on a service's database; what follows -- is passed on to it."
    psql.add_argument("service", choices=SERVICES, help="whose database")
    psql.set_defaults(
        run=lambda parsed: commands.psql(parsed.data, parsed.service, parsed.passed_on, os.environ), takes_more=True
    )

    migrate = verbs.add_parser("migrate", parents=[common], help="create and migrate the databases, start nothing else")
    migrate.set_defaults(run=lambda parsed: asyncio.run(commands.migrate(parsed.data, os.environ)))

    _add_audit(
        verbs.add_parser("audit", help="check history and accesses against their chains; who looked at whose data"),
        common,
    )

    export = verbs.add_parser("export", parents=[common], help="write everything that is kept of a patient, as JSON")
    export.description = "Asks every service of the running stack for all that it keeps of one patient."
    export.add_argument("--patient", type=_uuid, required=True, metavar="UUID", help="whose data")
    export.add_argument("--output", type=Path, metavar="FILE", help="where to (default: the terminal)")
    export.set_defaults(run=lambda parsed: export_data(parsed.data, parsed.patient, parsed.output, datetime.now(UTC)))

    issuer = verbs.add_parser("issuer", parents=[common], help="keep keys and service tokens, start nothing else")
    issuer.description = "What `up` does about tokens, alone: the demo issuer of a composition of containers."
    issuer.set_defaults(run=lambda parsed: asyncio.run(commands.issue(parsed.data)))

    check = verbs.add_parser("healthcheck", help="exit with 0 when a process on this machine is ready")
    check.add_argument("process", choices=[GATEWAY, *SERVICES], help="which process")
    check.add_argument("at", type=int, metavar="PORT", help="where it listens")
    check.set_defaults(run=lambda parsed: asyncio.run(commands.healthcheck(parsed.process, parsed.at)))

    forget = verbs.add_parser("forget", parents=[common], help="delete the databases, keys and logs of a stopped stack")
    forget.set_defaults(run=lambda parsed: commands.forget(parsed.data))
    return root


def _add_up(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Starts PostgreSQL, applies migrations, starts the services and the gateway, fills in demo data on first use, "
        "keeps everything running. A second `up` on the same data continues where the first stopped."
    )
    command.add_argument(
        "--port",
        type=int,
        default=_DEFAULT_PORT,
        metavar="N",
        help="the gateway's port; appointment, doctor and video take N+1, N+2 and N+3, metrics N+4 to N+7, the console "
        "N+8 (default: %(default)s)",
    )
    command.add_argument(
        "--replicas",
        type=int,
        default=1,
        metavar="N",
        help="processes of each service and of the gateway, balanced; the ports of each further one are ten higher",
    )
    command.add_argument("--no-demo", action="store_true", help="start with empty databases, and without the console")
    command.add_argument("--no-console", action="store_true", help="start without the console of traces and health")
    command.add_argument("--book", action="store_true", help="book one appointment through the gateway and show it")
    command.add_argument("--json-logs", action="store_true", help="log JSON, and to this terminal as well")
    command.add_argument("--verbose", action="store_true", help="show all logs on this terminal as well")
    command.set_defaults(run=lambda parsed: up.run(_plan(parsed), os.environ))


def _add_token(command: argparse.ArgumentParser) -> None:
    command.description = 'Prints a token alone, for use as: curl -H "Authorization: Bearer $(telemed token …)" …'
    command.add_argument("--role", type=Role, choices=list(Role), required=True, help="what the bearer is")
    command.add_argument("--subject", required=True, metavar="UUID", help="who the bearer is")
    command.add_argument(
        "--actor", default="", metavar="UUID", help="who holds the token and acts for a patient, as a guardian does"
    )
    command.add_argument(
        "--ttl-minutes", type=_minutes, default=60, metavar="M", help="how long it is valid (default: %(default)s)"
    )
    command.set_defaults(
        run=lambda parsed: commands.token(
            parsed.data,
            parsed.role,
            parsed.subject,
            actor=parsed.actor,
            ttl=timedelta(minutes=parsed.ttl_minutes),
            now=datetime.now(UTC),
        )
    )


def _add_audit(command: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(metavar="COMMAND", required=True)
    head = verbs.add_parser("head", parents=[common], help="print where a chain ends, to note it elsewhere")
    head.add_argument("--chain", choices=audit.CHAINS, default=audit.HISTORY, help="which (default: %(default)s)")
    head.set_defaults(run=lambda parsed: asyncio.run(audit.head(parsed.data, parsed.chain, os.environ)))
    _add_audit_list(verbs.add_parser("list", parents=[common], help="print who touched a patient's data"))
    verify = verbs.add_parser("verify", parents=[common], help="check every event and access; exit with 1 if touched")
    verify.add_argument(
        "--expect",
        type=_anchor,
        action="append",
        default=[],
        metavar="[CHAIN=]NUMBER:HASH",
        help="a head noted earlier, which the chain (default: history) must still contain; may be given several times",
    )
    verify.add_argument("--note", action="store_true", help="keep in the database when that was and how it went")
    verify.set_defaults(
        run=lambda parsed: asyncio.run(audit.verify(parsed.data, parsed.expect, os.environ, note=parsed.note))
    )


def _add_audit_list(command: argparse.ArgumentParser) -> None:
    command.description = "Prints a line an access, the latest first in each service."
    about = command.add_mutually_exclusive_group(required=True)
    about.add_argument("--patient", type=_uuid, metavar="UUID", help="whose data was touched")
    about.add_argument("--break-glass", action="store_true", help="what was touched in an emergency, of anybody's")
    command.add_argument("--limit", type=int, default=1_000, metavar="N", help="at most so many (default: %(default)s)")
    command.set_defaults(
        run=lambda parsed: asyncio.run(
            audit.list_accesses(parsed.data, AccessFilter(parsed.patient, parsed.break_glass), parsed.limit, os.environ)
        )
    )


def _plan(parsed: argparse.Namespace) -> Plan:
    now = datetime.now(UTC)
    shows = _instant(os.environ.get("TELEMED_NOW", ""))
    return Plan(
        data=parsed.data,
        port=parsed.port,
        demo=not parsed.no_demo,
        book=parsed.book,
        replicas=parsed.replicas,
        console=not parsed.no_console,
        traces_to=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        json_logs=parsed.json_logs,
        verbose=parsed.verbose,
        shows=shows,
        shown_at=now if shows else None,
    )


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is ours, and what follows `--`. By hand: argparse takes a late `--data` for one of the latter."""
    if "--" not in arguments:
        return list(arguments), []
    end = arguments.index("--")
    return list(arguments[:end]), list(arguments[end + 1 :])


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise PlanError(f"TELEMED_NOW={text} is not an RFC 3339 time such as 2026-03-01T00:00:00Z") from None
    if instant.tzinfo is None:
        raise PlanError(f"TELEMED_NOW={text} lacks its offset, such as the Z of 2026-03-01T00:00:00Z")
    return instant.astimezone(UTC)


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _anchor(text: str) -> tuple[str, Anchor]:
    chain, between, anchor = text.rpartition("=")
    if between and chain not in audit.CHAINS:
        raise argparse.ArgumentTypeError(f"{chain} is no chain: it is one of {', '.join(audit.CHAINS)}")
    try:
        return chain or audit.HISTORY, Anchor.parse(anchor)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _uuid(text: str) -> str:
    found = canonical_uuid(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is not a UUID")
    return found


def _minutes(text: str) -> int:
    minutes = int(text)
    if not 1 <= minutes <= _LONGEST_TTL_MINUTES:
        raise argparse.ArgumentTypeError(f"must be 1 to {_LONGEST_TTL_MINUTES}")
    return minutes


_LONGEST_TTL_MINUTES = 24 * 60

if __name__ == "__main__":
    sys.exit(main())
