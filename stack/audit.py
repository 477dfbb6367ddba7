"""The commands about the chains: where each ends, whether all are whole, and who looked at whose data."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from appointment_svc.storage.audit import auditing, note_run, read_head
from chassis.access_audit import auditing_accesses, read_access_head
from chassis.access_reader import AccessFilter, KeptAccess, all_accesses
from chassis.chain_walk import Anchor, Fault
from stack.commands import database_url
from stack.databases import SERVICES

HISTORY = "history"
# The history of appointments, and who touched what in each service.
CHAINS = (HISTORY, *(f"{service}-accesses" for service in SERVICES))
_MOST_SHOWN = 100


async def head(data: Path, chain: str, environment: Mapping[str, str]) -> int:
    """Print the anchor of a chain's end, to note it where those who run the database cannot write."""
    if chain == HISTORY:
        print(await read_head(database_url(data, "appointment", environment)))
    else:
        print(await read_access_head(database_url(data, chain.removesuffix("-accesses"), environment)))
    return 0


async def verify(
    data: Path, expected: Sequence[tuple[str, Anchor]], environment: Mapping[str, str], *, note: bool = False
) -> int:
    """Check every chain and print what is wrong, a line for each fault. 0 when all are whole, 1 when not.

    With `note` the appointment service's database keeps when that was and how many faults there were, for metrics.
    """
    noted = {chain: [anchor for name, anchor in expected if name == chain] for chain in CHAINS}
    faults, erased = 0, set[str]()
    for service in SERVICES:
        chain = f"{service}-accesses"
        async with auditing_accesses(service, database_url(data, service, environment)) as accesses:
            began = time.perf_counter()
            found = await _print_faults(accesses.faults(noted[chain]))
            _sum_up(chain, f"{accesses.checked:,} accesses", began, accesses.head, found)
            faults += found
            if service == "appointment":
                erased = accesses.erased
    url = database_url(data, "appointment", environment)
    async with auditing(url, erased) as history:
        began = time.perf_counter()
        found = await _print_faults(history.faults(noted[HISTORY]))
        _sum_up(HISTORY, f"{history.checked:,} events", began, history.head, found)
    if note:
        await note_run(url, history, faults + found)
    return 1 if faults + found else 0


async def list_accesses(data: Path, wanted: AccessFilter, limit: int, environment: Mapping[str, str]) -> int:
    """Print who touched a patient's data, or who broke the glass: the latest first in each service."""
    for service in SERVICES:
        url = database_url(data, service, environment)
        async with aclosing(all_accesses(url, wanted, limit)) as accesses:
            async for access in accesses:
                print(_line(access))
    return 0


async def _print_faults(faults: AsyncIterator[Fault]) -> int:
    found = 0
    async for fault in faults:
        found += 1
        if found <= _MOST_SHOWN:
            print(fault)
    if found > _MOST_SHOWN:
        print(f"and {found - _MOST_SHOWN:,} more")
    return found


def _sum_up(chain: str, checked: str, began: float, end: Anchor, faults: int) -> None:
    seconds = time.perf_counter() - began
    verdict = f"faults: {faults:,}" if faults else f"the {chain.replace('-', ' ')} are whole"
    if chain == HISTORY and not faults:
        verdict = "the history is whole"
    print(f"{checked} in {seconds:.1f} s; head {end}; {verdict}")


def _line(access: KeptAccess) -> str:
    who = f"{access.actor_role} {access.actor_subject}"
    if access.acted_by:
        who += f" (through {access.acted_by})"
    what = ", ".join(entity for entity in access.entity_ids if entity) or "-"
    glass = f"  GLASS BROKEN: {access.reason or 'words forgotten'}" if access.is_behind_glass else ""
    method = access.method.rpartition(".")[2]
    return (
        f"{access.time:%Y-%m-%dT%H:%M:%S.%fZ}  {method}  {access.action}  {who}  {access.purpose}  "
        f"{access.entity} {what}  {access.outcome_reason or access.outcome}{glass}"
    )
