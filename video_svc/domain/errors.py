"""What the video service refuses, and why."""

from datetime import UTC, datetime
from typing import ClassVar

from kernel.appointment_status import AppointmentStatus
from kernel.errors import Kind, Refusal


class SessionNotFound(Refusal):
    """There is no such session, or it is someone else's: a stranger cannot tell which."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("there is no such session")


class JoinTooEarly(Refusal):
    """The join window has not opened; metadata `open_time` says when it will (RFC 3339, UTC)."""

    kind = Kind.FAILED_PRECONDITION
    reason = "JOIN_TOO_EARLY"

    def __init__(self, opens: datetime) -> None:
        text = _rfc3339(opens)
        super().__init__(f"the visit can be joined from {text}", metadata={"open_time": text})


class JoinTooLate(Refusal):
    """The join window has closed; metadata `close_time` says when it did (RFC 3339, UTC)."""

    kind = Kind.FAILED_PRECONDITION
    reason = "JOIN_TOO_LATE"

    def __init__(self, closed: datetime) -> None:
        text = _rfc3339(closed)
        super().__init__(f"the visit could be joined until {text}", metadata={"close_time": text})


class SessionOver(Refusal):
    """The visit has ended; metadata `state` says how (a SessionState without its prefix)."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SESSION_OVER"

    def __init__(self, state: str) -> None:
        super().__init__("the visit is over", metadata={"state": state})


class NotAdmitted(Refusal):
    """The participant is not where that can be done; metadata `state` says where (a ParticipantState)."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_ADMITTED"
    _WHY: ClassVar[dict[str, str]] = {
        "INVITED": "the participant has not come to the waiting room yet: check in first",
        "WAITING": "the participant is in the waiting room: the doctor admits",
        "REJECTED": "the doctor has not admitted the participant",
    }

    def __init__(self, state: str) -> None:
        super().__init__(self._WHY.get(state, "the participant is past the waiting room"), metadata={"state": state})


class NotInCall(Refusal):
    """The participant has left, or was silent for too long: start the session again for a new attempt."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_IN_CALL"

    def __init__(self, state: str) -> None:
        super().__init__("no attempt is under way: start the session again", metadata={"state": state})


class NobodyCame(Refusal):
    """The visit cannot be ended, for it has not begun: nobody has come."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOBODY_CAME"

    def __init__(self) -> None:
        super().__init__("nobody has come to this visit: cancel the appointment instead")


class KnockTooSoon(Refusal):
    """The doctor has not admitted the caller a moment ago; metadata `knock_time` says when to try again."""

    kind = Kind.FAILED_PRECONDITION
    reason = "KNOCK_TOO_SOON"

    def __init__(self, works_from: datetime) -> None:
        text = _rfc3339(works_from)
        super().__init__(f"you can ask to be admitted again from {text}", metadata={"knock_time": text})


class RemovedFromSession(Refusal):
    """The doctor has removed the caller from this visit, for good."""

    kind = Kind.FAILED_PRECONDITION
    reason = "REMOVED"

    def __init__(self) -> None:
        super().__init__("the doctor has ended your part in this visit")


class ParticipantNotFound(Refusal):
    """Nobody of that id has come to this session, or nobody about whom the caller may decide."""

    kind = Kind.NOT_FOUND
    reason = "PARTICIPANT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("there is no such participant in this session")


class StaleAttempt(Refusal):
    """The attempt was followed by another; metadata `attempt` says which counts now."""

    kind = Kind.ABORTED
    reason = "STALE_ATTEMPT"

    def __init__(self, current: int, *, whose: str = "attempt") -> None:
        super().__init__(
            f"{whose} is {current} by now: what belongs to an earlier one no longer counts",
            metadata={whose: str(current)},
        )


class SignalGap(Refusal):
    """Too many signals wait for one that is missing, or it has been missing for too long: send it again.

    Metadata `next_number` says which it is.
    """

    kind = Kind.ABORTED
    reason = "SIGNAL_GAP"

    def __init__(self, missing: int) -> None:
        super().__init__(f"signal {missing} is missing: send it again", metadata={"next_number": str(missing)})


class WrongState(Refusal):
    """The appointment does not stand where its visit can be joined; metadata `status` says where it stands."""

    kind = Kind.FAILED_PRECONDITION
    reason = "WRONG_STATE"
    _WHY: ClassVar[dict[AppointmentStatus, str]] = {
        AppointmentStatus.HELD: "the appointment is only held: confirm it first",
        AppointmentStatus.PENDING: "the doctor has not yet approved the appointment",
        AppointmentStatus.COMPLETED: "the visit is over",
        AppointmentStatus.NO_SHOW: "the visit is over: the patient did not come",
        AppointmentStatus.CANCELLED: "the appointment was cancelled: book another one",
        AppointmentStatus.EXPIRED: "the hold on the time ran out: book again",
    }

    def __init__(self, status: AppointmentStatus) -> None:
        super().__init__(self._WHY[status], metadata={"status": status.value})


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class MediaNotConfigured(Refusal):
    """The video provider is not set up, or refuses the clinic's account: an operator has to act."""

    kind = Kind.FAILED_PRECONDITION
    reason = "MEDIA_NOT_CONFIGURED"


class NeedsSfu(Refusal):
    """This clinic's visits go directly from browser to browser: there is no provider to negotiate with."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NEEDS_SFU"

    def __init__(self) -> None:
        super().__init__("this visit is peer to peer: exchange descriptions by SendSignal")


class MediaOutOfOrder(Refusal):
    """An exchange on this connection is under way and has to be finished first."""

    kind = Kind.ABORTED
    reason = "MEDIA_OUT_OF_ORDER"


class MediaBusy(Refusal):
    """The connection to the video provider is still being set up."""

    kind = Kind.UNAVAILABLE
    reason = "MEDIA_BUSY"


class AttemptGone(Refusal):
    """The caller's attempt is over at the provider: start the session again for the next one."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ATTEMPT_GONE"


class TrackNotFound(Refusal):
    """Nobody publishes such a track now."""

    kind = Kind.NOT_FOUND
    reason = "TRACK_NOT_FOUND"


class MediaThrottled(Refusal):
    """The video provider asks for fewer calls."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "MEDIA_THROTTLED"


class MediaUnavailable(Refusal):
    """The video provider cannot be reached; nothing has happened there."""

    kind = Kind.UNAVAILABLE
    reason = "MEDIA_UNAVAILABLE"


class OutcomeUnknown(Refusal):
    """The video provider did not answer, so nobody knows what happened: start the session again."""

    kind = Kind.ABORTED
    reason = "OUTCOME_UNKNOWN"
