"""The measured quality of connections in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import fields

from chassis.db import Database
from video_svc.domain.quality import Issue, Measured, Sample
from video_svc.domain.visit import ParticipantType
from video_svc.storage.sql import QUALITY

_KEEP = QUALITY["keep_samples"]
_OF_SESSION = QUALITY["samples_of_session"]
_TO_RATE = QUALITY["sessions_to_rate"]
_RATE = QUALITY["rate_session"]
_COUNT = QUALITY["count_under_way"]
# The columns of a sample are its fields.
_COLUMNS = tuple(field.name for field in fields(Sample))


class PostgresQualities:
    """Keeps the promises of video_svc.app.quality_ports.Qualities."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, session_id: str, side: ParticipantType, attempt: int, samples: Sequence[Sample]) -> None:
        """Keeps samples; one whose number was kept before changes nothing."""
        columns: dict[str, object] = {name: [getattr(sample, name) for sample in samples] for name in _COLUMNS}
        key = {"session_id": session_id, "side": side.value, "attempt": attempt}
        await self._database.execute(_KEEP, columns | key)

    async def of_session(self, session_id: str) -> Sequence[Measured]:
        """Everything that was measured in a session, in its order."""
        return [
            Measured(
                ParticipantType(row["participant_type"]),
                row["attempt"],
                Sample(**{name: row[name] for name in _COLUMNS}),
            )
            for row in await self._database.all(_OF_SESSION, {"session_id": session_id})
        ]

    async def to_rate(self) -> Sequence[str]:
        """The ids of some sessions that are over and not rated yet."""
        return [row["session_id"] for row in await self._database.all(_TO_RATE)]

    async def rate(self, session_id: str, rating: int | None, issues: Sequence[Issue]) -> None:
        """Keeps the rating of a session and tells its watchers."""
        parameters = {"session_id": session_id, "rating": rating, "issues": [issue.value for issue in issues]}
        await self._database.one(_RATE, parameters)

    async def under_way(self) -> dict[str, int]:
        """How many sessions there are now, by their state."""
        return {row["state"]: row["sessions"] for row in await self._database.all(_COUNT)}
