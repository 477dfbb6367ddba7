"""Patches of the doctor service: each breaks one promise in the process that applies it."""

import asyncio
from collections.abc import Sequence

from doctor_svc.domain.visits import Visit
from doctor_svc.storage.visits import StoredVisits

_LATE_SECONDS = 1.5


def move_the_cursor_first() -> None:
    """The cursor is stored, and a moment later the batch that it stands for."""
    intact = StoredVisits.keep

    async def keep(self: StoredVisits, visits: Sequence[Visit], number: int) -> None:
        await intact(self, (), number)
        await asyncio.sleep(_LATE_SECONDS)
        await intact(self, visits, number)

    StoredVisits.keep = keep  # type: ignore[method-assign]
