"""Who is let in, who waits and who is refused: a crowd, a lasting overload, its end, and callers who leave."""

import asyncio

import pytest

from chassis.admission import Admission, Place, waiting_for_others
from chassis.limit import AdaptiveLimit
from kernel.errors import Overloaded

PATIENCE_SECONDS = 30.0
AT_ONCE, ROOM = 4, 256


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(AdaptiveLimit(least=AT_ONCE, most=AT_ONCE), ROOM, clock)


class Crowd:
    """Callers who ask to be let in; each call ends when it is told to."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.order: list[int] = []
        self.end = asyncio.Semaphore(0)
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, count: int) -> None:
        self.tasks += [asyncio.create_task(self._call(len(self.tasks) + number)) for number in range(count)]
        await self.settle()

    async def _call(self, number: int) -> None:
        if self.admission.must_refuse():
            raise Overloaded("at the door")
        place = await self.admission.enter(PATIENCE_SECONDS)
        with place.held("Book"):
            self.order.append(number)
            await self.end.acquire()

    async def let_end(self, count: int) -> None:
        for _ in range(count):
            self.end.release()
            await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    @property
    def refused(self) -> int:
        return sum(task.done() and not task.cancelled() and task.exception() is not None for task in self.tasks)


async def test_two_hundred_at_once_all_get_in_and_in_the_order_they_came(admission: Admission):
    crowd = Crowd(admission)
    await crowd.come(200)
    assert crowd.order == [0, 1, 2, 3]
    await crowd.let_end(200)
    assert crowd.order == list(range(200))
    assert crowd.refused == 0


async def test_when_the_room_overflows_everyone_in_it_is_refused_and_so_is_who_comes(admission: Admission):
    crowd = Crowd(admission)
    await crowd.come(AT_ONCE + ROOM + 1)
    assert crowd.refused == ROOM + 1
    await crowd.come(10)
    assert crowd.refused == ROOM + 11
    await crowd.let_end(1)
    await crowd.come(2)
    assert len(crowd.order) == AT_ONCE + 1, "who comes while there is a place is taken, without a wait"
    assert crowd.refused == ROOM + 12
    await crowd.let_end(AT_ONCE)


async def test_a_second_without_a_refusal_opens_the_room_again(admission: Admission, clock: Clock):
    crowd = Crowd(admission)
    await crowd.come(AT_ONCE + ROOM + 1)
    clock.seconds += 0.9
    await crowd.come(1)
    assert crowd.refused == ROOM + 2
    clock.seconds += 1.1
    await crowd.come(200)
    assert crowd.refused == ROOM + 2
    await crowd.let_end(AT_ONCE + 200)
    assert len(crowd.order) == AT_ONCE + 200


async def test_who_waits_too_long_is_refused(admission: Admission):
    held = [await admission.enter(1) for _ in range(AT_ONCE)]
    with pytest.raises(Overloaded) as caught:
        await admission.enter(0.01)
    assert caught.value.retry_after_seconds
    leave(held)
    await admission.enter(1)


async def test_who_leaves_the_room_is_not_waited_for(admission: Admission):
    crowd = Crowd(admission)
    await crowd.come(AT_ONCE + 3)
    crowd.tasks[AT_ONCE].cancel()
    await crowd.settle()
    await crowd.let_end(AT_ONCE + 2)
    assert crowd.order == [0, 1, 2, 3, 5, 6]


async def test_who_leaves_when_their_turn_has_just_come_passes_it_on(admission: Admission):
    crowd = Crowd(admission)
    await crowd.come(AT_ONCE - 1)
    last = await admission.enter(1)
    await crowd.come(2)
    leave([last])
    crowd.tasks[AT_ONCE - 1].cancel()
    await crowd.settle()
    assert crowd.order == [0, 1, 2, 4]
    await crowd.let_end(AT_ONCE)
    again = [await admission.enter(1) for _ in range(AT_ONCE)]
    assert len(again) == AT_ONCE, "no place was lost"


async def test_who_waits_for_others_gives_up_the_place_and_has_it_again(admission: Admission):
    crowd, event = Crowd(admission), asyncio.Event()

    async def waiter() -> None:
        with (await admission.enter(1)).held("GetAvailability"), waiting_for_others():
            await event.wait()

    waiters = [asyncio.create_task(waiter()) for _ in range(50)]
    await crowd.come(AT_ONCE)
    assert len(crowd.order) == AT_ONCE
    event.set()
    await asyncio.gather(*waiters)
    await crowd.let_end(AT_ONCE)


def leave(places: list[Place]) -> None:
    for place in places:
        with place.held("Book"):
            pass
