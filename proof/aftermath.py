"""After the storm: everything is healed, every open question is asked again, and the copies get time to catch up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg

from chassis.sql import Queries
from proof.caller import Answer, Client, note_end, note_repeat
from proof.campaign import HOLD_SECONDS
from proof.clinic import Clinic
from proof.crowd import Crowd
from proof.history import FAIL, OK, UNKNOWN, Recorder
from proof.intents import Imagination
from proof.watcher import Watcher

_ATTEMPTS = 12
_SETTLED_WITHIN_SECONDS = 90.0
_REPEATS = 150
_CLAIMED = 20
_TURNS = 5
_NUMBERS = (
    ("appointment", "pending"),
    ("appointment", "head"),
    ("doctor", "doctor_cursor"),
    ("video", "video_cursor"),
)
_AT_ONCE = 8
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
        """Heals, settles what is open, repeats some of what was granted, and stops when the copies are complete."""
        await self.clinic.heal()
        # Bounded, so that a system that answers nothing any more is found out and not waited for.
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
                await _some_at_once(self._settle, sorted(self.crowd.open))
        granted = sorted(self.crowd.done)
        await _some_at_once(self._repeat, self.rng.sample(granted, min(_REPEATS, len(granted))))
        await self._claim_what_ran_out()
        await self._come_to_rest()

    async def _claim_what_ran_out(self) -> None:
        """Books the times of holds that have run out by now: nothing but another visit may stand in the way."""
        await asyncio.sleep(HOLD_SECONDS)
        held = [told for told in self.crowd.board.known.values() if told["status"] == "HELD"]
        client = Client(0, self.crowd.servers, self.recorder, self.rng)
        imagination = Imagination(self.crowd.town, self.crowd.board, self.rng, str(uuid4()))
        for told in held[-_CLAIMED:]:
            if (wish := imagination.again(told)) is not None:
                await client.perform(wish)

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

    async def _come_to_rest(self) -> None:
        """Stops the servers when every copy is complete; if a clock has struck meanwhile, they get another turn."""
        for _ in range(_TURNS):
            came_to_rest = await self._until_quiet()
            await self.clinic.stop_servers()
            if not came_to_rest or _is_quiet(await self._numbers()):
                return
            await self.clinic.heal()

    async def _until_quiet(self) -> bool:
        """Waits until every event is numbered and every copy has it; False when nothing comes on any more."""
        seen: list[int] = []
        deadline = time.monotonic()
        while not _is_quiet(now := await self._numbers()):
            if now != seen:
                seen, deadline = now, time.monotonic() + self.crowd.campaign.stall_seconds
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _numbers(self) -> list[int]:
        """How many events have no number yet, the newest number, and how far each reader of the feed is."""
        asked = (
            ("appointment", "pending"),
            ("appointment", "head"),
            ("doctor", "doctor_cursor"),
            ("video", "video_cursor"),
        )
        return [*[await self._number(*query) for query in asked], int(self.watcher.last or 0)]

    async def _number(self, service: str, query: str) -> int:
        async with await psycopg.AsyncConnection.connect(self.clinic.urls[service], autocommit=True) as connection:
            cursor = await connection.execute(_QUERIES[query].text.encode())
            row = await cursor.fetchone()
            return row[0] if row else 0


def _is_quiet(numbers: Sequence[int]) -> bool:
    pending, head, *read = numbers
    return pending == 0 and all(position == head for position in read)


async def _some_at_once(work: Callable[[int], Awaitable[None]], numbers: Sequence[int]) -> None:
    """Runs `work` for every number, a few at once."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(one(number))
