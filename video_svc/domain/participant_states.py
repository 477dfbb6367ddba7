"""Where a participant stands: one table of states and events; what the table does not name changes nothing."""

from collections.abc import Mapping
from enum import Enum


class ParticipantState(Enum):
    """Where a participant stands; the names are those of the contract."""

    INVITED = "INVITED"
    WAITING = "WAITING"
    ADMITTED = "ADMITTED"
    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    LEFT = "LEFT"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"


class ParticipantEvent(Enum):
    """What can happen to a participant."""

    CAME = "CAME"
    WAS_ADMITTED = "WAS_ADMITTED"
    WAS_REJECTED = "WAS_REJECTED"
    WAS_REMOVED = "WAS_REMOVED"
    BEGAN = "BEGAN"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    LEFT = "LEFT"


_S, _E = ParticipantState, ParticipantEvent

PARTICIPANT_TABLE: Mapping[tuple[ParticipantState, ParticipantEvent], ParticipantState] = {
    (_S.INVITED, _E.CAME): _S.WAITING,
    (_S.WAITING, _E.WAS_ADMITTED): _S.ADMITTED,
    (_S.WAITING, _E.WAS_REJECTED): _S.REJECTED,
    (_S.WAITING, _E.WAS_REMOVED): _S.REMOVED,
    # Whoever leaves the waiting room has never been in, and knocks again.
    (_S.WAITING, _E.LEFT): _S.INVITED,
    (_S.ADMITTED, _E.BEGAN): _S.CONNECTING,
    (_S.ADMITTED, _E.WAS_REMOVED): _S.REMOVED,
    (_S.ADMITTED, _E.LEFT): _S.LEFT,
    (_S.CONNECTING, _E.BEGAN): _S.CONNECTING,
    (_S.CONNECTING, _E.CONNECTED): _S.CONNECTED,
    (_S.CONNECTING, _E.DISCONNECTED): _S.RECONNECTING,
    (_S.CONNECTING, _E.WAS_REMOVED): _S.REMOVED,
    (_S.CONNECTING, _E.LEFT): _S.LEFT,
    (_S.CONNECTED, _E.BEGAN): _S.CONNECTING,
    (_S.CONNECTED, _E.DISCONNECTED): _S.RECONNECTING,
    (_S.CONNECTED, _E.WAS_REMOVED): _S.REMOVED,
    (_S.CONNECTED, _E.LEFT): _S.LEFT,
    (_S.RECONNECTING, _E.BEGAN): _S.CONNECTING,
    (_S.RECONNECTING, _E.CONNECTED): _S.CONNECTED,
    (_S.RECONNECTING, _E.WAS_REMOVED): _S.REMOVED,
    (_S.RECONNECTING, _E.LEFT): _S.LEFT,
    # Whoever was let in once comes back without knocking, unless they were removed.
    (_S.LEFT, _E.CAME): _S.ADMITTED,
    (_S.LEFT, _E.BEGAN): _S.CONNECTING,
    (_S.LEFT, _E.WAS_REMOVED): _S.REMOVED,
    (_S.REJECTED, _E.CAME): _S.WAITING,
}

# Who has an attempt under way, and so has to be heard of now and then.
IN_CALL = frozenset({_S.CONNECTING, _S.CONNECTED, _S.RECONNECTING})
# Who was let in: only these are told how to reach each other.
LET_IN = IN_CALL | {_S.ADMITTED, _S.LEFT}


def after(state: ParticipantState, event: ParticipantEvent) -> ParticipantState:
    """The state after an event; the same when the event is late, doubled or means nothing there."""
    return PARTICIPANT_TABLE.get((state, event), state)
