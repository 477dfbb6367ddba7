"""Every process of a clinic restarted again and again under load: how many calls fail. None must.

`python -m bench.rolling_restart`: two replicas of each process, 20 rounds of an orderly restart of each, one at a time,
under a mixed load that sends nothing twice; then the same with kill -9 and clients that retry. It stands here because
it is made of the load and the clinic of the benchmarks; it prints counts and ends with 1 when a call has failed.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from bench.ledger import missing
from bench.mixed import mixed_load
from bench.outcomes import Tally
from bench.running import Running, running_stack
from bench.watching import Watching, watching

REPLICAS = 2
CLIENTS = 12
PAUSE_SECONDS = 0.1
# From a replica's being ready to the end of the next: longer than clients wait before they connect again (a second).
# Kubernetes calls it minReadySeconds.
_SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one way of ending processes."""

    what: str
    restarts: int
    seconds: float
    tally: Tally
    watching: Watching
    missing: int

    @property
    def holds(self) -> bool:
        """Whether no call failed, nothing acknowledged is missing, and no stream has a gap."""
        return not self.tally.failed and not self.missing and not self.watching.faults

    def show(self) -> None:
        """Prints it."""
        calls = len(self.tally.outcomes)
        print(f"{self.what}: {self.restarts} restarts in {self.seconds:.0f} s, {calls:,} calls", flush=True)
        print("\n".join(self.tally.lines()))
        print(f"  failed {len(self.tally.failed)}; bookings {len(self.tally.acknowledged):,}, missing {self.missing}")
        print(f"  {self.watching.summary()}")
        worst = sorted(self.tally.outcomes, key=lambda one: -one.seconds)[:3]
        print("  slowest: " + ", ".join(f"{one.operation} {one.seconds * 1000:,.0f} ms" for one in worst))
        for one in self.tally.failed[:20]:
            print(f"  {one.operation}: {one.code} {one.reason} after {one.seconds * 1000:.0f} ms")
        print(flush=True)


async def restart_all(
    running: Running,
    rounds: int,
    how: signal.Signals,
    names: Sequence[str] = (),
    *,
    clients: int = CLIENTS,
    pause_seconds: float = PAUSE_SECONDS,
) -> Trial:
    """Ends every process, one at a time, `rounds` times over, under load; the next when the last is ready again.

    With `names`, those processes alone. Clients retry where processes are killed, and never where they are asked.
    """
    retries = how == signal.SIGKILL
    names = names or [name for name in running.pids() if name != "postgres"]
    began = time.monotonic()
    async with (
        watching(running) as watched,
        mixed_load(running, clients=clients, pause_seconds=pause_seconds, retries=retries) as tally,
    ):
        for _ in range(rounds):
            for name in names:
                await running.end(name, how)
                await asyncio.sleep(_SETTLE_SECONDS)
    await watched.caught_up()
    seconds = time.monotonic() - began
    lost = await missing(running, tally.acknowledged)
    return Trial(how.name, rounds * len(names), seconds, tally, watched, lost)


async def main(rounds: int, kills: int) -> bool:
    """Runs and prints. Whether all of it holds."""
    print(f"bench.rolling_restart: {REPLICAS} replicas, {CLIENTS} clients\n", flush=True)
    trials = []
    async with running_stack(REPLICAS) as running:
        for how, times in ((signal.SIGTERM, rounds), (signal.SIGKILL, kills)):
            if times:
                trials.append(await restart_all(running, times, how))
                trials[-1].show()
    return all(trial.holds for trial in trials)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.rolling_restart", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="orderly restarts of each process")
    parser.add_argument("--kills", type=int, default=5, help="kill -9 of each process")
    return parser.parse_args()


if __name__ == "__main__":
    options = _options()
    sys.exit(0 if uvloop.run(main(options.rounds, options.kills)) else 1)
