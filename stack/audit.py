"""The commands about the history of appointments: where it ends, and whether it is whole."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from appointment_svc.storage.audit import auditing, read_head
from chassis.chain_walk import Anchor
from stack.commands import database_url

_MOST_SHOWN = 100
_SERVICE = "appointment"


async def head(data: Path, environment: Mapping[str, str]) -> int:
    """Print the anchor of the history's end, to note it where those who run the database cannot write."""
    print(await read_head(database_url(data, _SERVICE, environment)))
    return 0


async def verify(data: Path, expected: Sequence[Anchor], environment: Mapping[str, str]) -> int:
    """Check every event and print what is wrong, a line for each fault. 0 when the history is whole, 1 when not."""
    faults = 0
    began = time.perf_counter()
    async with auditing(database_url(data, _SERVICE, environment)) as audit:
        async for fault in audit.faults(expected):
            faults += 1
            if faults <= _MOST_SHOWN:
                print(fault)
    seconds = time.perf_counter() - began
    if faults > _MOST_SHOWN:
        print(f"and {faults - _MOST_SHOWN:,} more")
    rate = f"{audit.checked:,} events in {seconds:.1f} s ({audit.checked / seconds:,.0f} a second)"
    print(f"{rate}; head {audit.head}; " + (f"faults: {faults:,}" if faults else "the history is whole"))
    return 1 if faults else 0
