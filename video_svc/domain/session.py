"""A video session: the visit it belongs to, who takes part, and what has become of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from video_svc.domain.participant import Participant
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.quality import Issue
from video_svc.domain.session_states import EndReason, SessionEvent, SessionState, after, with_appointment
from video_svc.domain.visit import ParticipantType, Visit


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open time `[open, close)` in which participants are let in; both aware."""

    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class JoinRules:
    """The times of a visit: how long before its start the door opens, and how long after its end it closes.

    `lasts_at_most` counts from when patient and doctor were first connected; an interrupted visit ends after `grace`;
    who has not been heard of for `silence` has left; who was rejected may knock again after `knock_pause`.
    """

    opens_before: timedelta
    closes_after: timedelta
    lasts_at_most: timedelta = timedelta(minutes=120)
    grace: timedelta = timedelta(minutes=5)
    silence: timedelta = timedelta(seconds=45)
    knock_pause: timedelta = timedelta(seconds=60)

    def window_of(self, visit: Visit) -> Window:
        """When participants of a visit are let in."""
        return Window(visit.start - self.opens_before, visit.end + self.closes_after)


@dataclass(frozen=True, slots=True)
class Life:
    """What has happened in a session, without what the appointment says.

    `changed` is when the state was last another one; `began` when patient and doctor were first connected.
    """

    state: SessionState = SessionState.SCHEDULED
    changed: datetime | None = None
    began: datetime | None = None
    end_reason: EndReason | None = None

    def after(self, event: SessionEvent, now: datetime) -> "Life":
        """After an event at `now`."""
        state = after(self.state, event)
        if state is self.state:
            return self
        began = self.began or (now if state is SessionState.LIVE else None)
        return replace(self, state=state, changed=now, began=began)


@dataclass(frozen=True, slots=True)
class Session:
    """The session of one visit. `session_id` is random and says nothing about the appointment.

    `rating` is the quality of a visit that is over, 1 to 5; `issues` are what was wrong with its connections.
    """

    session_id: str
    visit: Visit
    participants: tuple[Participant, ...] = ()
    life: Life = field(default_factory=Life)
    rating: int | None = None
    issues: tuple[Issue, ...] = ()

    def standing(self, rules: JoinRules) -> "Session":
        """The session of the visit as it is planned now: what came before its door opened, came to a visit that moved.

        Attempts keep their numbers, so that what is late for an old one never counts for a new one.
        """
        opened = rules.window_of(self.visit).open
        people = tuple(
            replace(one, state=ParticipantState.INVITED, devices=None) if one.joined < opened else one
            for one in self.participants
        )
        is_old = self.life.changed is not None and self.life.changed < opened
        return replace(self, participants=people, life=Life() if is_old else self.life)

    def state(self, rules: JoinRules, now: datetime) -> SessionState:
        """Where the session stands at `now`."""
        state = with_appointment(self.life.state, self.visit.status)
        is_closed = now >= rules.window_of(self.visit).close
        return after(state, SessionEvent.DOOR_CLOSED) if is_closed else state

    def present(self) -> tuple[Participant, ...]:
        """Who has come, in the order of their coming."""
        there = [one for one in self.participants if one.state is not ParticipantState.INVITED]
        return tuple(sorted(there, key=lambda one: (one.joined, one.side.value)))

    def one(self, side: ParticipantType) -> Participant | None:
        """The participant of a side; None when they have never come."""
        return next((one for one in self.participants if one.side is side), None)

    def with_participant(self, changed: Participant, now: datetime) -> "Session":
        """The session after a change of one participant, and after what that means for the visit."""
        others = tuple(one for one in self.participants if one.side is not changed.side)
        people = (*others, changed)
        connected = {one.side for one in people if one.state is ParticipantState.CONNECTED}
        is_pair = connected == set(ParticipantType)
        life = self.life
        if changed.state is not ParticipantState.INVITED:
            life = life.after(SessionEvent.SOMEBODY_CAME, now)
        life = life.after(SessionEvent.PAIR_CONNECTED if is_pair else SessionEvent.PAIR_BROKEN, now)
        return replace(self, participants=people, life=life)

    def ended(self, event: SessionEvent, reason: EndReason | None, now: datetime) -> "Session":
        """The session after an event that ends it; the same when it cannot."""
        life = self.life.after(event, now)
        return self if life is self.life else replace(self, life=replace(life, end_reason=reason))
