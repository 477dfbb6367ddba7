"""What is known of a doctor apart from visits, kept by version: in this process, and for all replicas in Redis."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import orjson

from chassis.optional_redis import OptionalRedis
from doctor_svc.domain.schedule import Schedule
from doctor_svc.storage.rows import practice_of
from doctor_svc.storage.sql import SCHEDULES

logger = logging.getLogger(__name__)

_MOST_DOCTORS = 20_000  # some 4 kB each
_REDIS_WAIT_SECONDS = 0.05
# What another release stores in another shape has another name.
_SHAPE = hashlib.sha256(SCHEDULES["practice"].text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Practice:
    """A doctor's profile, rules and overrides as of one version.

    `schedule` holds them, without visits; `text` is the JSON that it was read from.
    """

    doctor_id: str
    version: str
    schedule: Schedule
    text: str


def read_practice(version: str, text: str) -> Practice:
    """The practice in the JSON of schedules.sql. Raises ValueError or LookupError for any other text."""
    schedule = practice_of(orjson.loads(text))
    return Practice(schedule.profile.doctor_id, version, schedule, text)


class Practices(Protocol):
    """Practices that may have been outdated since: whoever finds one compares its version with the database's."""

    async def find(self, doctor_ids: Sequence[str]) -> dict[str, Practice]:
        """Those of the doctors that are held, by id."""

    async def keep(self, practices: Sequence[Practice]) -> None:
        """Holds practices, in place of older ones of the same doctors."""


class LocalPractices:
    """Those that this process holds, each for a while."""

    def __init__(self, ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._held: dict[str, tuple[float, Practice]] = {}

    async def find(self, doctor_ids: Sequence[str]) -> dict[str, Practice]:
        """Those that are held."""
        now, held = monotonic(), self._held
        return {doctor_id: held[doctor_id][1] for doctor_id in doctor_ids if held.get(doctor_id, (now,))[0] > now}

    async def keep(self, practices: Sequence[Practice]) -> None:
        """Holds practices; the longest held make room."""
        until = monotonic() + self._ttl_seconds
        for practice in practices:
            self._held.pop(practice.doctor_id, None)
            if len(self._held) >= _MOST_DOCTORS:
                del self._held[next(iter(self._held))]
            self._held[practice.doctor_id] = until, practice


class SharedPractices:
    """Those that all replicas hold together, in Redis; while it is away, none."""

    def __init__(self, url: str, ttl_seconds: float) -> None:
        self._store = OptionalRedis(url, wait_seconds=_REDIS_WAIT_SECONDS)
        self._ttl_milliseconds = int(ttl_seconds * 1000)

    async def find(self, doctor_ids: Sequence[str]) -> dict[str, Practice]:
        """Those that are held."""
        values = await self._store.ask(lambda: self._store.redis.mget([_key(doctor_id) for doctor_id in doctor_ids]))
        return {practice.doctor_id: practice for practice in _read(values or ())}

    async def keep(self, practices: Sequence[Practice]) -> None:
        """Holds practices, in one round trip."""
        batch = self._store.redis.pipeline(transaction=False)
        for practice in practices:
            value = f"{practice.version} {practice.text}"
            batch.set(_key(practice.doctor_id), value, px=self._ttl_milliseconds)
        await self._store.ask(batch.execute)

    async def close(self) -> None:
        """Closes the connections."""
        await self._store.close()


@dataclass(frozen=True, slots=True)
class LayeredPractices:
    """This process's own before those of all replicas."""

    near: Practices
    far: Practices

    async def find(self, doctor_ids: Sequence[str]) -> dict[str, Practice]:
        """Those that are held; what was far is near from then on."""
        found = await self.near.find(doctor_ids)
        missing = [doctor_id for doctor_id in doctor_ids if doctor_id not in found]
        if missing and (fetched := await self.far.find(missing)):
            await self.near.keep(list(fetched.values()))
            found |= fetched
        return found

    async def keep(self, practices: Sequence[Practice]) -> None:
        """Holds practices in both."""
        await self.near.keep(practices)
        await self.far.keep(practices)


def practices_in(redis_url: str, ttl_seconds: float) -> tuple[Practices, Callable[[], Awaitable[None]]]:
    """Practices in this process, and in a Redis where an address of one is given; and what closes them."""
    near = LocalPractices(ttl_seconds)
    if not redis_url or not ttl_seconds:
        return near, _nothing
    far = SharedPractices(redis_url, ttl_seconds)
    return LayeredPractices(near, far), far.close


async def _nothing() -> None:
    """There is nothing to close."""


def _key(doctor_id: str) -> str:
    return f"telemed:practice:{_SHAPE}:{doctor_id}"


def _read(values: Iterable[bytes | str | None]) -> Iterable[Practice]:
    for value in values:
        if not isinstance(value, bytes):
            continue
        version, _, text = value.decode(errors="replace").partition(" ")
        try:
            yield read_practice(version, text)
        except (ValueError, LookupError, TypeError) as error:
            # Whatever somebody put there: the database has it right.
            logger.warning("a kept practice cannot be read", extra={"error_type": type(error).__name__})
