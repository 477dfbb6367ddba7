"""An entry of an appointment's history, and what of it a patient is told."""

from dataclasses import dataclass, replace
from datetime import datetime

from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.overriding import OverridableRule

# A patient reads on the appointment itself why it was called off.
_TOLD_TO_ALL = frozenset({"CANCELLED"})


@dataclass(frozen=True, slots=True)
class Event:
    """What was done to an appointment: `number` grows with time; `before` is None for the first.

    `actor_role` is a role of a token, and `delegate_id` who acted for that actor, if somebody did. The snapshots are
    without the words that people wrote, `reason` is those of the one who acted, and `overridden` the rules that they
    set aside. `time` is aware, in UTC.
    """

    number: int
    version: int
    kind: str
    time: datetime
    actor_id: str
    actor_role: str
    reason: str
    before: Appointment | None
    after: Appointment
    traceparent: str
    overridden: tuple[OverridableRule, ...] = ()
    delegate_id: str = ""

    def as_told_to_patient(self) -> "Event":
        """The entry without what is the staff's own business: who of them acted, and what they noted about it."""
        known = {self.after.patient_id, self.after.doctor_id}
        open_words = self.actor_id == self.after.patient_id or self.kind in _TOLD_TO_ALL
        return replace(
            self,
            actor_id=self.actor_id if self.actor_id in known else "",
            reason=self.reason if open_words else "",
        )
