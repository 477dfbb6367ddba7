"""Calls that a busy service would refuse are not sent: refusing costs it nearly as much as many an answer.

The rule is the client-side throttling of "Site Reliability Engineering" (Beyer et al., 2016), chapter 21, with its
factor of two: in the long run a client sends twice what the service takes from it, and no more. That every second
call is sent for nothing is what shows when the service takes more again.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable

import grpc

from telemed_client.errors import TelemedError

# What is remembered. The source says two minutes; an overload that is over would keep callers away for as long.
_SECONDS = 1.0
_FACTOR = 2
_RETRY_SECONDS = 0.5  # the services' own advice


class Throttle:
    """What one service made of a client's calls in the last second; threads may share it.

    Calls under way do not count, so that a crowd that comes at once is sent whole, and the service decides.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        """The clock counts seconds, `chance` gives numbers from 0 to below 1.

        Which call is kept back must be chance: who sent as many as allowed at once, and then none, would find the
        service too busy and later idle.
        """
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._asked: deque[float] = deque()
        self._taken: deque[float] = deque()

    def check(self) -> None:
        """Raises TelemedError, as the service would, for a call that had better wait."""
        with self._lock:
            now = self._clock()
            for moments in (self._asked, self._taken):
                while moments and moments[0] <= now - _SECONDS:
                    moments.popleft()
            asked = len(self._asked)
            if self._chance() >= (asked - _FACTOR * len(self._taken)) / (asked + 1):
                return
            self._asked.append(now)
        raise _not_sent()

    def note(self, error: TelemedError | None = None) -> None:
        """What became of a call that was sent; None means that it was answered.

        One that failed without the service's doing, such as by the network, tells nothing.
        """
        if error is not None and error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            return
        with self._lock:
            now = self._clock()
            self._asked.append(now)
            if error is None or not error.is_overload:
                self._taken.append(now)


def _not_sent() -> TelemedError:
    error = TelemedError(grpc.StatusCode.RESOURCE_EXHAUSTED, "not sent: the service refuses most calls at the moment")
    error.reason, error.retry_after = "OVERLOADED", _RETRY_SECONDS
    return error
