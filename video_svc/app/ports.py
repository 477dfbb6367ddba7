"""What the use cases need from outside; each docstring is a promise that every implementation keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chassis.context import Caller
from video_svc.domain.session import Session
from video_svc.domain.signals import Signal
from video_svc.domain.visit import ParticipantType, Visit


@dataclass(frozen=True, slots=True)
class SessionsQuestion:
    """Which sessions: each None asks nothing. `after` is the start and id of the last one of the page before."""

    patient_id: str | None
    doctor_id: str | None
    appointment_id: str | None
    from_time: datetime | None
    to_time: datetime | None
    after: tuple[datetime, str] | None
    limit: int


class Sessions(Protocol):
    """The sessions that are kept. Each comes as it stands for its visit as planned now (Session.standing)."""

    async def get(self, session_id: str) -> Session | None:
        """The session of that id, or None."""

    async def of_appointment(self, appointment_id: str) -> Session | None:
        """The session of an appointment, or None while no change of it has been copied."""

    async def list(self, question: SessionsQuestion) -> Sequence[Session]:
        """Sessions by start and id."""

    async def change(self, session_id: str, rule: Callable[[Session], Session]) -> Session:
        """Keeps what `rule` makes of a session, and answers it; nobody else changes the session meanwhile.

        The rule may change participants and the session's life; a visit is changed by its feed alone. What it raises is
        passed on, and nothing is kept then. Watchers are woken, unless somebody was only seen again. Signals of an
        attempt that was followed by another, and of a session that is over, are forgotten. Raises SessionNotFound.
        """

    async def due(self, now: datetime) -> Sequence[str]:
        """The ids of sessions that domain.presence.at may change at `now`; a few too many do no harm."""


@dataclass(frozen=True, slots=True)
class Head:
    """How many events a session has had, and which was the last to change the session itself."""

    seq: int
    changed_seq: int


@dataclass(frozen=True, slots=True)
class NumberedSignal:
    """A signal with its place among the events of its session, and the id of the participant who sent it."""

    seq: int
    participant_id: str
    signal: Signal


# So many signals are read at once.
MOST_AT_ONCE = 200


class Signals(Protocol):
    """Passes signals on, in the order of their numbers."""

    async def send(self, session_id: str, signal: Signal, now: datetime) -> int | None:
        """Keeps a signal and passes on what follows without a gap; answers the lowest number that is missing.

        None when its sender is not in that attempt any more, the receiver is not, or the session is over: then nothing
        is kept. A number that was kept before changes nothing. Raises SignalGap.
        """

    async def head(self, session_id: str) -> Head | None:
        """How far a session has come; None when there is none."""

    async def news(
        self, session_id: str, receiver: ParticipantType | None, after_seq: int
    ) -> tuple[Head, Sequence[NumberedSignal]] | None:
        """How far a session has come, and the next signals for the current attempt of that side (None: no signals).

        None when there is no such session.
        """

    async def forget(self, before: datetime, connected_before: datetime) -> None:
        """Forgets signals made before `before`; those of a visit that has begun, made before `connected_before`."""


class Tickets(Protocol):
    """Tickets that open one event stream each."""

    async def issue(self, session_id: str, caller: Caller, expires: datetime) -> str:
        """A new ticket for the caller, good once and until `expires`."""

    async def redeem(self, ticket: str, now: datetime) -> Caller | None:
        """Whom a ticket was made for, confined to its session; None when it is unknown, used or too old at `now`."""

    async def forget(self, now: datetime) -> None:
        """Forgets tickets that have run out."""


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
