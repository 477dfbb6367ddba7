"""Work beside the requests that keeps the gateway's own numbers: whether it is ready, and how late its loop is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chassis.background import Background, measure_loop, periodically
from chassis.metrics import serving
from gateway.numbers import upstream_ready
from gateway.upstreams import Upstreams, missing

_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WatchUpstreams:
    """Asks every upstream for its health and shows what they said; `/readyz` asks for itself."""

    upstreams: Upstreams
    stopping: Callable[[], bool]

    async def __call__(self) -> None:
        """Asks once."""
        states = await self.upstreams.states()
        away = missing(states)
        for package in states:
            upstream_ready.labels(package).set(package not in away)
        serving.set(not away and not self.stopping())


def start_watching(upstreams: Upstreams, stopping: Callable[[], bool]) -> Background:
    """The work, started; to be stopped with the process."""
    background = Background()
    background.start("measure the loop", measure_loop)
    background.start("watch upstreams", partial(periodically, _EVERY_SECONDS, WatchUpstreams(upstreams, stopping)))
    return background
