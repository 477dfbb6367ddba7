"""`python -m proof`: runs the storm and the mutants; exits 1 unless every check holds and every mutant is caught."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from proof.campaign import SQUALL, STORM
from proof.mutants.catalogue import MUTANTS, QUICK, Mutant
from proof.report import MutantsTable
from proof.result import Result


def main() -> int:
    """Runs what the command line asks for."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="telemed-proof-history-"))
    print(f"SEED={options.seed}; histories and logs are in {folder}", flush=True)
    proved = asyncio.run(_prove(Orders(folder, options.seed, asyncio.Semaphore(options.jobs)), options))
    if proved and not options.keep:
        shutil.rmtree(folder)
    return 0 if proved else 1


class Orders:
    """Runs in processes of their own, so many at once, so that none is slowed by what another has left behind."""

    def __init__(self, folder: Path, seed: int, gate: asyncio.Semaphore) -> None:
        """`folder` gets one folder a run."""
        self._folder = folder
        self._seed = seed
        self._gate = gate

    async def run(self, name: str) -> Result:
        """One run. One that breaks off counts as failed, by no check."""
        folder = self._folder / name.replace(" ", "-")
        async with self._gate:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "proof.one", name, str(folder), str(self._seed)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            told, complaint = await process.communicate()
        if process.returncode:
            return Result(name, 0.0, ["(broke off)"], 0, f"{name} BROKE OFF; see {folder}\n{complaint.decode()}")
        return Result(**json.loads(told))


async def _prove(orders: Orders, options: argparse.Namespace) -> bool:
    began = time.monotonic()
    mutants = [mutant for mutant in MUTANTS if not options.quick or mutant.name in QUICK]
    if options.only:
        mutants = [mutant for mutant in MUTANTS if mutant.name in options.only]
    # The storm has the machine to itself; the runs of mutants, and the same runs of the intact system, share it.
    main_runs = [] if options.only else [SQUALL.name if options.quick else STORM.name]
    controls = [] if options.quick else sorted({mutant.campaign.name for mutant in mutants})
    held = await _intact(orders, main_runs)
    held = await _intact(orders, controls) and held
    caught = await _broken(orders, mutants)
    print(f"\n{'PROVED' if held and caught else 'NOT PROVED'} in {time.monotonic() - began:.0f} s, SEED={options.seed}")
    return held and caught


async def _intact(orders: Orders, names: Sequence[str]) -> bool:
    """Runs of the system as it is: nothing may be found."""
    held = True
    for run in asyncio.as_completed([orders.run(name) for name in names]):
        result = await run
        print(f"\n{result.description}", flush=True)
        held = held and not result.failed
    return held


async def _broken(orders: Orders, mutants: Sequence[Mutant]) -> bool:
    """Runs of the system broken on purpose: the right check has to find it."""
    table = MutantsTable(mutants)
    print(f"\n{table.head()}", flush=True)

    async def caught(mutant: Mutant) -> bool:
        result = await orders.run(mutant.name)
        print(table.row(mutant, result), flush=True)
        return mutant.caught_by in result.failed

    return all(await asyncio.gather(*(caught(mutant) for mutant in mutants)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="where all chance begins")
    parser.add_argument("--quick", action="store_true", help="a squall and a few mutants, about a minute")
    parser.add_argument("--only", nargs="*", default=[], metavar="MUTANT", help="these mutants, and their intact runs")
    parser.add_argument("--keep", action="store_true", help="keep histories and logs also when all is well")
    parser.add_argument("--jobs", type=int, default=2, help="so many runs at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
