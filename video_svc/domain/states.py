"""Where a session stands: one table of where its appointment stands and whether somebody has come."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from kernel.appointment_status import AppointmentStatus


class SessionState(Enum):
    """Where a session stands; the names are those of the contract."""

    SCHEDULED = "SCHEDULED"
    OPEN = "OPEN"
    ENDED = "ENDED"
    CANCELLED = "CANCELLED"


class _Row(NamedTuple):
    nobody_came: SessionState
    somebody_came: SessionState


# The state is worked out and never stored, so no order of events can leave a wrong one behind: the newest version of
# the appointment and the arrivals are all there is to know.
STATES: Mapping[AppointmentStatus, _Row] = {
    AppointmentStatus.HELD: _Row(SessionState.SCHEDULED, SessionState.OPEN),
    AppointmentStatus.PENDING: _Row(SessionState.SCHEDULED, SessionState.OPEN),
    AppointmentStatus.CONFIRMED: _Row(SessionState.SCHEDULED, SessionState.OPEN),
    AppointmentStatus.IN_PROGRESS: _Row(SessionState.SCHEDULED, SessionState.OPEN),
    AppointmentStatus.COMPLETED: _Row(SessionState.ENDED, SessionState.ENDED),
    AppointmentStatus.CANCELLED: _Row(SessionState.CANCELLED, SessionState.CANCELLED),
    AppointmentStatus.NO_SHOW: _Row(SessionState.CANCELLED, SessionState.CANCELLED),
    AppointmentStatus.EXPIRED: _Row(SessionState.CANCELLED, SessionState.CANCELLED),
}

# A visit that is only held, or waits for the doctor's approval, has a session that nobody can join yet.
JOINABLE = frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.IN_PROGRESS})


def state_of(status: AppointmentStatus, *, somebody_came: bool) -> SessionState:
    """The state of a session whose appointment has that status."""
    row = STATES[status]
    return row.somebody_came if somebody_came else row.nobody_came
