"""After the storm: everything is healed, every open question is asked again, and the copies get time to catch up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from chassis.sql import Queries
from proof.caller import Answer, note_end, note_repeat
from proof.clinic import Clinic
from proof.crowd import Crowd
from proof.history import FAIL, OK, UNKNOWN, Recorder
from proof.watcher import Watcher

_ATTEMPTS = 12
_REPEATS = 150
_AT_ONCE = 8
_QUIET_SECONDS = 10.0
_POLL_SECONDS = 0.1
_QUERIES = Queries(Path(__file__).with_name("quiet.sql"))


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The order that is restored before anything is checked."""

    clinic: Clinic
    crowd: Crowd
    recorder: Recorder
    watcher: Watcher
    rng: random.Random

    async def restore(self) -> None:
        """Heals, settles what is open, repeats a part of what was granted, and waits until the copies are complete."""
        await self.clinic.heal()
        await _some_at_once(self._settle, sorted(self.crowd.open))
        granted = sorted(self.crowd.done)
        await _some_at_once(self._repeat, self.rng.sample(granted, min(_REPEATS, len(granted))))
        await self._until_quiet()

    async def _settle(self, number: int) -> None:
        """Asks again, with the same key, until the answer is known: no attempt of before is under way any more."""
        answer = await self._ask(number)
        note_end(self.recorder, number, answer)
        if answer.outcome == OK:
            self.crowd.done[number] = self.crowd.open[number]

    async def _repeat(self, number: int) -> None:
        note_repeat(self.recorder, number, await self._ask(number))

    async def _ask(self, number: int) -> Answer:
        wish = self.crowd.open.get(number) or self.crowd.done[number]
        answer = Answer(UNKNOWN, "never sent")
        for _ in range(_ATTEMPTS):
            answer = await self.crowd.servers.once(wish, self.rng.randrange(len(self.crowd.servers)))
            if answer.outcome in (OK, FAIL):
                return answer
            await asyncio.sleep(_POLL_SECONDS)
        return replace(answer, outcome=UNKNOWN)

    async def _until_quiet(self) -> None:
        """Waits until every event is numbered and every copy has it; what never comes is for the checks to see."""
        deadline = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < deadline:
            head = await self._number("appointment", "head")
            cursors = [await self._number("doctor", "doctor_cursor"), await self._number("video", "video_cursor")]
            cursors.append(int(self.watcher.last or 0))
            if await self._number("appointment", "pending") == 0 and all(cursor == head for cursor in cursors):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _number(self, service: str, query: str) -> int:
        async with await psycopg.AsyncConnection.connect(self.clinic.urls[service], autocommit=True) as connection:
            cursor = await connection.execute(_QUERIES[query].text.encode())
            row = await cursor.fetchone()
            return row[0] if row else 0


async def _some_at_once(work: Callable[[int], Awaitable[None]], numbers: Sequence[int]) -> None:
    """Runs `work` for every number, a few at once."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(one(number))
