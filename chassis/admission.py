"""Who may begin now, who waits for a place, and who is told to come again: one for all that are done in one place."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chassis.limit import AdaptiveLimit
from chassis.metrics import shed_calls
from kernel.errors import Overloaded

logger = logging.getLogger(__name__)
# An overload is over once nobody has been refused for so long.
_CALM_SECONDS = 1.0
_RETRY_SECONDS = 0.5


class Admission:
    """Lets calls in up to an adaptive limit; beyond it a crowd waits, first come, first served.

    Two hundred people who want one slot at once all get an answer: they fit into the waiting room, and nobody comes
    after them. Under a load that lasts the room fills up. Then everyone in it is refused, and so is whoever comes
    while the limit is reached, before they have cost anything: those who are taken wait for nobody. That lasts until
    no one had to be refused for a second.
    """

    def __init__(self, limit: AdaptiveLimit, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`room` is how many may wait; the clock counts seconds."""
        self._limit = limit
        self._room = room
        self._clock = clock
        self._overloaded_until = float("-inf")
        self._waiting: deque[asyncio.Future[int]] = deque()

    def must_refuse(self) -> bool:
        """Whether a call that comes now is to be refused; counts it then."""
        if not self._limit.is_reached:
            return False
        now = self._clock()
        if now >= self._overloaded_until:
            if len(self._waiting) < self._room:
                return False
            logger.warning("overloaded: calls are refused")
            self._empty_the_room()
        self._overloaded_until = now + _CALM_SECONDS
        shed_calls.inc()
        return True

    async def enter(self, patience_seconds: float) -> "Place":
        """A place among the calls in hand, at once or after a wait. Raises Overloaded when there is none to be had."""
        if not self._waiting and not self._limit.is_reached:
            return Place(self, self._limit.begin())
        if self.must_refuse():
            raise refusal()
        return Place(self, await self._turn(patience_seconds))

    async def _turn(self, patience_seconds: float) -> int:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[int] = loop.create_future()
        self._waiting.append(turn)
        alarm = loop.call_later(patience_seconds, self._give_up, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._limit.step_out()  # its turn had come, and it is not here any more
                self.let_in()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise
        finally:
            alarm.cancel()

    def _give_up(self, turn: asyncio.Future[int]) -> None:
        if not turn.done():
            self._waiting.remove(turn)
            shed_calls.inc()
            turn.set_exception(refusal())

    def _empty_the_room(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                shed_calls.inc()
                turn.set_exception(refusal())

    def leave(self, kind: str, seconds: float, ahead: int) -> None:
        """A call has ended, see AdaptiveLimit; who waits may have its place."""
        self._limit.end(kind, seconds, ahead)
        self.let_in()

    def let_in(self) -> None:
        """Lets those in for whom there is a place."""
        while self._waiting and not self._limit.is_reached:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._limit.begin())

    def step_out(self) -> None:
        """A call in hand waits for others and needs no place meanwhile."""
        self._limit.step_out()
        self.let_in()

    def step_in(self) -> None:
        """It goes on."""
        self._limit.step_in()


class Place:
    """The place of a call in hand; `with place.held(kind)` ends with it."""

    __slots__ = ("_admission", "_ahead", "_elsewhere_seconds")

    def __init__(self, admission: Admission, ahead: int) -> None:
        self._admission = admission
        self._ahead = ahead
        self._elsewhere_seconds = 0.0

    @contextmanager
    def held(self, kind: str) -> Iterator[None]:
        """Holds the place for a call of that kind, and makes it the one of the running call."""
        token = _place.set(self)
        began = time.perf_counter()
        try:
            yield
        finally:
            _place.reset(token)
            self._admission.leave(kind, time.perf_counter() - began - self._elsewhere_seconds, self._ahead)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Lets others have the place meanwhile."""
        left = time.perf_counter()
        self._admission.step_out()
        try:
            yield
        finally:
            self._admission.step_in()
            self._elsewhere_seconds += time.perf_counter() - left


_place: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def waiting_for_others() -> Iterator[None]:
    """Put round a wait of the running call that costs this process nothing, such as for another's event.

    Without it, a few calls that only wait would keep those out who could be answered.
    """
    place = _place.get()
    if place is None:
        yield
        return
    with place.given_up():
        yield


def refusal() -> Overloaded:
    """What is told to whom there is no place for."""
    return Overloaded("too many calls at once", retry_after_seconds=_RETRY_SECONDS)
