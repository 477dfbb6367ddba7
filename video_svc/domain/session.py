"""A video session: the visit it belongs to, and who has come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from video_svc.domain.states import SessionState, state_of
from video_svc.domain.visit import ParticipantType, Visit


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open time `[open, close)` in which participants are let in; both aware."""

    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class JoinRules:
    """How long before a visit's start the door opens, and how long after its end it closes."""

    opens_before: timedelta
    closes_after: timedelta

    def window_of(self, visit: Visit) -> Window:
        """When participants of a visit are let in."""
        return Window(visit.start - self.opens_before, visit.end + self.closes_after)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The first coming of one side, at an aware instant."""

    side: ParticipantType
    time: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """The session of one visit. `session_id` is random and says nothing about the appointment."""

    session_id: str
    visit: Visit
    arrivals: tuple[Arrival, ...] = ()

    def present(self, rules: JoinRules) -> tuple[Arrival, ...]:
        """Who has come to the visit as it is planned now: whoever came before it was moved has yet to come again."""
        opened = rules.window_of(self.visit).open
        return tuple(arrival for arrival in self.arrivals if arrival.time >= opened)

    def state(self, rules: JoinRules) -> SessionState:
        """Where the session stands."""
        return state_of(self.visit.status, somebody_came=bool(self.present(rules)))
