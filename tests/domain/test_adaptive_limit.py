"""The limit of calls at once: what a crowd, a lasting overload and its end make of it."""

import heapq
from collections.abc import Iterator

from chassis.limit import REFUSED, AdaptiveLimit

CAPACITY = 400.0  # calls a second of a server that works on one at a time
ALONE_SECONDS = 1 / CAPACITY


class Server:
    """Works on one call after the other; simulated, so that a minute takes no time."""

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit
        self._free_at = 0.0
        self._under_way: list[tuple[float, float, int]] = []

    def arrive(self, now: float) -> float | None:
        """How long the caller waits for the answer; None for one who is refused."""
        self.work_until(now)
        ahead = self.limit.begin()
        if ahead == REFUSED:
            return None
        self._free_at = max(now, self._free_at) + ALONE_SECONDS
        heapq.heappush(self._under_way, (self._free_at, now, ahead))
        return self._free_at - now

    def work_until(self, now: float) -> None:
        while self._under_way and self._under_way[0][0] <= now:
            ended, began, ahead = heapq.heappop(self._under_way)
            self.limit.end("Book", ended - began, ahead)


def load(rate: float, start: float, seconds: float) -> Iterator[float]:
    return (start + index / rate for index in range(int(rate * seconds)))


def server() -> Server:
    made = Server(AdaptiveLimit(least=4, most=1000, burst=256))
    for now in load(CAPACITY / 4, 0, 1):
        assert made.arrive(now) is not None
    return made


def test_two_hundred_at_once_are_all_taken_however_often_they_come():
    crowded = server()
    for second in range(2, 40, 2):
        assert None not in [crowded.arrive(float(second)) for _ in range(200)]


def test_a_lasting_overload_is_refused_but_for_what_can_be_done_in_time():
    busy = server()
    waits = [busy.arrive(now) for now in load(10 * CAPACITY, 2, 30)]
    taken = [wait for wait in waits if wait is not None]
    assert len(taken) > 0.9 * CAPACITY * 30, "it works all the time"
    settled = [wait for wait in waits[int(2 * CAPACITY * 10) :] if wait is not None]
    assert max(settled) <= 6 * ALONE_SECONDS


def test_what_a_server_can_do_is_never_refused():
    busy = server()
    assert None not in [busy.arrive(now) for now in load(0.95 * CAPACITY, 2, 30)]


def test_after_an_overload_there_is_room_for_a_crowd_at_once():
    busy = server()
    for now in load(10 * CAPACITY, 2, 5):
        busy.arrive(now)
    busy.work_until(8)
    assert None not in [busy.arrive(8.0) for _ in range(200)]


def test_a_limit_grows_where_calls_do_not_slow_each_other_down():
    limit = AdaptiveLimit(least=4, most=64, burst=0)
    limit.end("Book", 0.01, limit.begin())
    for _ in range(2_000):
        ahead = [one for one in (limit.begin() for _ in range(100)) if one != REFUSED]
        for one in ahead:
            limit.end("Book", 0.01, one)
    assert limit.limit == 64


def test_no_more_than_the_most_are_ever_in_hand():
    limit = AdaptiveLimit(least=2, most=5, burst=100)
    begun = [limit.begin() for _ in range(50)]
    assert [one for one in begun if one != REFUSED] == [0, 1, 2, 3, 4]
    for one in range(5):
        limit.end("Book", 0.1, one)
    assert limit.begin() == 0
