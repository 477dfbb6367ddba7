"""A participant of a session: who, where they stand, and in which attempt to connect."""

from dataclasses import dataclass, replace
from datetime import datetime

from kernel.errors import InvalidArgument
from video_svc.domain.errors import StaleAttempt
from video_svc.domain.participant_states import IN_CALL, ParticipantEvent, ParticipantState, after
from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """What a participant's own check of the devices found, for the doctor to see before letting them in."""

    camera: bool
    microphone: bool
    network: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant. Instants are aware.

    Each joining is an attempt with a number of its own, from 1; 0 before the first. `report` is the number of the
    newest report of the attempt's connection, so that one which was overtaken is known as old. `request_id` is what
    asked for the attempt. `tracks` are the names of what the attempt sends through a provider.
    """

    participant_id: str
    side: ParticipantType
    state: ParticipantState
    joined: datetime
    changed: datetime
    seen: datetime
    attempt: int = 0
    report: int = 0
    request_id: str = ""
    devices: DeviceCheck | None = None
    tracks: tuple[str, ...] = ()

    @property
    def is_in_call(self) -> bool:
        """Whether an attempt is under way."""
        return self.state in IN_CALL

    def after(self, event: ParticipantEvent, now: datetime) -> "Participant":
        """The participant after an event at `now`."""
        state = after(self.state, event)
        return self if state is self.state else replace(self, state=state, changed=now)

    def came(self, now: datetime) -> "Participant":
        """After coming to the door; a doctor needs nobody to be let in."""
        there = replace(self.after(ParticipantEvent.CAME, now), seen=now)
        if self.state is ParticipantState.INVITED:
            there = replace(there, joined=now)
        return there.after(ParticipantEvent.WAS_ADMITTED, now) if self.side is ParticipantType.DOCTOR else there

    def began(self, request_id: str, now: datetime) -> "Participant":
        """In a new attempt; in the same one when this request has begun it."""
        if self.is_in_call and request_id and request_id == self.request_id:
            return replace(self, seen=now)
        begun = replace(self.after(ParticipantEvent.BEGAN, now), seen=now)
        return replace(begun, attempt=self.attempt + 1, report=0, changed=now, request_id=request_id, tracks=())

    def reported(self, attempt: int, number: int, *, is_connected: bool, now: datetime) -> "Participant":
        """After a report of the connection. Raises StaleAttempt.

        Reports may come late, twice or not at all: the newest of the attempt counts, whatever order they come in.
        """
        self.require_attempt(attempt)
        seen = replace(self, seen=now)
        if number <= self.report:
            return seen
        event = ParticipantEvent.CONNECTED if is_connected else ParticipantEvent.DISCONNECTED
        return replace(seen.after(event, now), report=number)

    def require_current(self, attempt: int) -> None:
        """Like require_attempt, where 0, the waiting room, is refused too."""
        if attempt < 1:
            raise InvalidArgument.of("attempt", "is the number that StartSession answered")
        self.require_attempt(attempt)

    def require_attempt(self, attempt: int) -> None:
        """Raises StaleAttempt for an earlier attempt than the current one, InvalidArgument for one to come."""
        if attempt > self.attempt:
            raise InvalidArgument.of("attempt", "is the number that StartSession answered")
        if attempt < self.attempt:
            raise StaleAttempt(self.attempt)
