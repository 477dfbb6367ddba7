"""Answers of searches, kept for a while and forgotten in every replica as soon as a profile changes."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from chassis.listener import listen
from chassis.signals import Signal
from doctor_svc.app.ports import DoctorSearch
from doctor_svc.domain.search import Hit, Position, SearchWish

# A trigger of the doctor table notifies it when a transaction that changed a profile commits.
CHANNEL = "doctor_changed"
_MOST_ANSWERS = 2_000
_Question = tuple[SearchWish, Position | None, int]


@dataclass(frozen=True, slots=True)
class _Kept:
    hits: list[Hit]
    until: float


class CachedSearch:
    """app.ports.DoctorSearch before another one. While nobody would tell it of changes, it keeps nothing.

    A search that asks for free days always goes on to the other: visits change all the time.
    """

    def __init__(self, search: DoctorSearch, url: str, ttl_seconds: float) -> None:
        self._search = search
        self._url = url
        self._ttl_seconds = ttl_seconds
        self._answers: dict[_Question, _Kept] = {}
        self._is_told = False
        # Counts the changes heard of: an answer read before one of them must not be kept after it.
        self._era = 0

    async def page(self, wish: SearchWish, after: Position | None, limit: int) -> list[Hit]:
        """The found after a position, at most as old as the time they are kept for."""
        if not self._is_told or wish.available_on is not None:
            return await self._search.page(wish, after, limit)
        question = (wish, after, limit)
        kept = self._answers.get(question)
        if kept is not None and monotonic() < kept.until:
            return kept.hits
        era = self._era
        hits = await self._search.page(wish, after, limit)
        if era == self._era and self._is_told:
            self._keep(question, hits)
        return hits

    async def follow(self) -> None:
        """Hears of changes for as long as the connection lives; then raises, with everything forgotten."""
        try:
            await listen(self._url, CHANNEL, _Bell(self._told))
        finally:
            self._is_told = False
            self._forget()

    def _told(self) -> None:
        self._is_told = True
        self._forget()

    def _forget(self) -> None:
        self._era += 1
        self._answers.clear()

    def _keep(self, question: _Question, hits: list[Hit]) -> None:
        self._answers.pop(question, None)
        if len(self._answers) >= _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[question] = _Kept(hits, monotonic() + self._ttl_seconds)


class _Bell(Signal):
    """A signal that also calls somebody at once, before anything else can run."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring

    def fire(self) -> None:
        """Wakes everyone who waits, and calls."""
        super().fire()
        self._ring()
