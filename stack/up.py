"""`telemed up`: runs a stack in this terminal and says what a person needs to know."""

import asyncio
from collections.abc import Mapping

from stack.first_booking import BookingError, book_one, describe
from stack.hints import telemed
from stack.issuer import Issuer
from stack.plan import Plan
from stack.supervisor import Supervisor


def run(plan: Plan, environment: Mapping[str, str]) -> int:
    """Run a stack until Ctrl-C or SIGTERM. Returns 0 after an orderly stop."""
    asyncio.run(_run(plan, environment))
    return 0


async def _run(plan: Plan, environment: Mapping[str, str]) -> None:
    plan.data.mkdir(parents=True, exist_ok=True)
    await Supervisor(plan, environment, _tell).run(_when_ready)


async def _when_ready(supervisor: Supervisor) -> None:
    plan = supervisor.plan
    if plan.book:
        await _show_first_booking(plan, supervisor.issuer)
    print(banner(plan), flush=True)


async def _show_first_booking(plan: Plan, issuer: Issuer) -> None:
    try:
        booking = await asyncio.to_thread(book_one, plan, issuer)
    except (BookingError, OSError) as error:
        _tell(f"no visit could be booked: {error}")
    else:
        print(describe(plan, booking), flush=True)


def banner(plan: Plan) -> str:
    """Where everything is."""
    clock = f"\n  clock     started at {plan.shows:%Y-%m-%dT%H:%M:%SZ}, ticking on" if plan.shows else ""
    services = ", ".join(f"{name} {port}" for name, port in plan.ports.items())
    return f"""
Telemed scheduler is ready.

  API       {plan.gateway_url}
  health    {plan.gateway_url}/readyz
  ports     {services}{clock}
  data      {plan.data}
  logs      {plan.logs}
  token     {telemed(plan, "token", "--role", "patient", "--subject", "UUID")}
  database  {telemed(plan, "psql", "appointment")}
  stop      Ctrl-C, or {telemed(plan, "down")}
"""


def _tell(line: str) -> None:
    print(f"telemed: {line}", flush=True)
