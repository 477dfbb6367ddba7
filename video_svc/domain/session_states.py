"""Where a session stands: one table of states and events; what the table does not name changes nothing."""

from collections.abc import Mapping
from enum import Enum

from kernel.appointment_status import AppointmentStatus


class SessionState(Enum):
    """Where a session stands; the names are those of the contract."""

    SCHEDULED = "SCHEDULED"
    OPEN = "OPEN"
    LIVE = "LIVE"
    INTERRUPTED = "INTERRUPTED"
    ENDED = "ENDED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"
    EXPIRED = "EXPIRED"


class SessionEvent(Enum):
    """What can happen to a session."""

    # Here: by its participants and by the clock.
    SOMEBODY_CAME = "SOMEBODY_CAME"
    PAIR_CONNECTED = "PAIR_CONNECTED"
    PAIR_BROKEN = "PAIR_BROKEN"
    WAS_ENDED = "WAS_ENDED"
    TIME_RAN_OUT = "TIME_RAN_OUT"
    REOPENED = "REOPENED"
    DOOR_CLOSED = "DOOR_CLOSED"
    # At the appointment.
    CALLED_OFF = "CALLED_OFF"
    MISSED = "MISSED"
    COMPLETED = "COMPLETED"


class EndReason(Enum):
    """Why a visit ended; the names are those of the contract."""

    # Somebody who may do so ended it.
    ENDED_BY_DOCTOR = "ENDED_BY_DOCTOR"
    # It was interrupted for longer than the grace for coming back.
    CONNECTION_LOST = "CONNECTION_LOST"
    # It reached the longest time that a visit may take.
    MAX_DURATION = "MAX_DURATION"


_S, _E = SessionState, SessionEvent

SESSION_TABLE: Mapping[tuple[SessionState, SessionEvent], SessionState] = {
    (_S.SCHEDULED, _E.SOMEBODY_CAME): _S.OPEN,
    (_S.SCHEDULED, _E.DOOR_CLOSED): _S.EXPIRED,
    (_S.SCHEDULED, _E.CALLED_OFF): _S.CANCELLED,
    (_S.SCHEDULED, _E.MISSED): _S.NO_SHOW,
    (_S.SCHEDULED, _E.COMPLETED): _S.ENDED,
    (_S.OPEN, _E.PAIR_CONNECTED): _S.LIVE,
    (_S.OPEN, _E.WAS_ENDED): _S.ENDED,
    (_S.OPEN, _E.DOOR_CLOSED): _S.EXPIRED,
    (_S.OPEN, _E.CALLED_OFF): _S.CANCELLED,
    (_S.OPEN, _E.MISSED): _S.NO_SHOW,
    (_S.OPEN, _E.COMPLETED): _S.ENDED,
    (_S.LIVE, _E.PAIR_BROKEN): _S.INTERRUPTED,
    (_S.LIVE, _E.WAS_ENDED): _S.ENDED,
    (_S.LIVE, _E.TIME_RAN_OUT): _S.ENDED,
    (_S.LIVE, _E.CALLED_OFF): _S.CANCELLED,
    (_S.LIVE, _E.MISSED): _S.NO_SHOW,
    (_S.LIVE, _E.COMPLETED): _S.ENDED,
    (_S.INTERRUPTED, _E.PAIR_CONNECTED): _S.LIVE,
    (_S.INTERRUPTED, _E.WAS_ENDED): _S.ENDED,
    (_S.INTERRUPTED, _E.TIME_RAN_OUT): _S.ENDED,
    (_S.INTERRUPTED, _E.CALLED_OFF): _S.CANCELLED,
    (_S.INTERRUPTED, _E.MISSED): _S.NO_SHOW,
    (_S.INTERRUPTED, _E.COMPLETED): _S.ENDED,
    (_S.ENDED, _E.REOPENED): _S.OPEN,
}

OVER = frozenset({_S.ENDED, _S.CANCELLED, _S.NO_SHOW, _S.EXPIRED})
UNDER_WAY = frozenset({_S.LIVE, _S.INTERRUPTED})

# What the newest status of the appointment does to the session. It is applied on top of what happened here whenever
# somebody looks, and stored nowhere, so that no order of events can leave a wrong one behind.
_EVENT_OF_STATUS: Mapping[AppointmentStatus, SessionEvent] = {
    AppointmentStatus.COMPLETED: _E.COMPLETED,
    AppointmentStatus.CANCELLED: _E.CALLED_OFF,
    AppointmentStatus.EXPIRED: _E.CALLED_OFF,
    AppointmentStatus.NO_SHOW: _E.MISSED,
}

# A visit that is only held, or waits for the doctor's approval, has a session that nobody can join yet.
JOINABLE = frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.IN_PROGRESS})


def after(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after an event; the same when the event is late, doubled or means nothing there."""
    return SESSION_TABLE.get((state, event), state)


def with_appointment(state: SessionState, status: AppointmentStatus) -> SessionState:
    """The state as the appointment leaves it."""
    event = _EVENT_OF_STATUS.get(status)
    return state if event is None else after(state, event)
