"""`telemed up`: runs a stack in this terminal and says what a person needs to know."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from stack.demo_data import DemoSummary
from stack.first_booking import BookingError, book_one, describe
from stack.hints import telemed
from stack.issuer import Issuer
from stack.plan import Plan
from stack.supervisor import Supervisor

_OPEN_VISIT_LASTS = timedelta(minutes=30)


def run(plan: Plan, environment: Mapping[str, str]) -> int:
    """Run a stack until Ctrl-C or SIGTERM. Returns 0 after an orderly stop."""
    asyncio.run(_run(plan, environment))
    return 0


async def _run(plan: Plan, environment: Mapping[str, str]) -> None:
    plan.data.mkdir(parents=True, exist_ok=True)
    await Supervisor(plan, environment, _tell).run(_when_ready)


async def _when_ready(supervisor: Supervisor) -> None:
    plan, demo = supervisor.plan, supervisor.demo
    if plan.book:
        await _show_first_booking(plan, supervisor.issuer, demo.first_patient_id if demo else None)
    print(banner(plan, demo), flush=True)


async def _show_first_booking(plan: Plan, issuer: Issuer, first_patient: str | None) -> None:
    try:
        booking = await asyncio.to_thread(book_one, plan, issuer, first_patient)
    except (BookingError, OSError) as error:
        _tell(f"no visit could be booked: {error}")
    else:
        print(describe(plan, booking), flush=True)


def banner(plan: Plan, demo: DemoSummary | None) -> str:
    """Where everything is, and whom to try it with."""
    example = demo.first_patient_id if demo else "UUID"
    lines = [
        ("API", plan.gateway_url),
        ("health", f"{plan.gateway_url}/readyz"),
        *([("console", f"{plan.gateway_url}/ops   (traces, health, bookings)")] if plan.console_port else []),
        ("ports", ", ".join(f"{name} {port}" for name, port in plan.ports.items())),
        ("metrics", ", ".join(f"{name} {port}" for name, port in plan.admin_ports.items())),
        ("data", str(plan.data)),
        ("logs", str(plan.logs)),
        ("token", telemed(plan, "token", "--role", "patient", "--subject", example)),
        ("database", telemed(plan, "psql", "appointment")),
        ("stop", f"Ctrl-C, or {telemed(plan, 'down')}"),
    ]
    if plan.shows:
        lines.insert(3, ("clock", f"started at {plan.shows:%Y-%m-%dT%H:%M:%SZ}, ticking on"))
    if demo and plan.clock() < demo.open_visit_start + _OPEN_VISIT_LASTS:
        lines.append(("visit now", f"{telemed(plan, 'visit')}   (two addresses, for two windows)"))
    return "\n".join(["\nTelemed scheduler is ready.\n", *(f"  {name:<9} {text}" for name, text in lines), ""])


def _tell(line: str) -> None:
    print(f"telemed: {line}", flush=True)
