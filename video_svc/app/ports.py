"""What the use cases need from outside; each docstring is a promise that every implementation keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType, Visit


class Sessions(Protocol):
    """The sessions that are kept."""

    async def get(self, session_id: str) -> Session | None:
        """The session of that id, or None."""

    async def of_appointment(self, appointment_id: str) -> Session | None:
        """The session of an appointment, or None while no change of it has been copied."""

    async def change(self, appointment_id: str, rule: Callable[[Session], Session]) -> Session:
        """Keeps what `rule` makes of a session, and answers it; nobody else changes the session meanwhile.

        The rule may add arrivals; a visit is changed by its feed alone. What it raises is passed on, and nothing is
        kept then. Raises SessionNotFound.
        """


class VisitCopies(Protocol):
    """Our copy of the appointments, and how far in the feed it reaches."""

    async def cursor(self) -> str:
        """The revision of the last change that was kept; empty before the first."""

    async def keep(self, visits: Sequence[Visit], revision: int) -> None:
        """Keeps visits (at most one version of each) and the cursor, both or neither.

        An appointment heard of for the first time gets its session; one that is known as new or newer stays as it is.
        """


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token for one person and one visit, and the aware instant at which it runs out."""

    text: str = field(repr=False)
    expires: datetime


class JoinTokens(Protocol):
    """Signs the tokens by which participants show themselves to the visit's own machinery."""

    def sign(self, session_id: str, subject: str, side: ParticipantType, now: datetime, close: datetime) -> JoinToken:
        """A fresh token, good from `now` for a few minutes and never past `close`; both aware."""
