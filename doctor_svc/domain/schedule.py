"""One doctor as read at one moment: profile, hours, busy times, and the visits completed with one patient."""

from dataclasses import dataclass
from datetime import datetime

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.overrides import Override
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.window import BookingPolicy
from kernel.civil_time import zone_named


@dataclass(frozen=True, slots=True)
class Schedule:
    """What slots and scores are made of. `busy` are those of the stretch of time that was asked for."""

    profile: DoctorProfile
    is_verified: bool
    rules: tuple[AvailabilityRule, ...]
    busy: tuple[Busy, ...]
    previous_visits: int = 0
    overrides: tuple[Override, ...] = ()
    is_active: bool = True

    @property
    def is_public(self) -> bool:
        """Whether everyone may know of the doctor."""
        return self.is_verified and self.is_active

    def agenda(self, now: datetime, policy: BookingPolicy) -> Agenda:
        """The same as the slot generator takes it; a doctor who is not active has no hours at all."""
        rules, overrides = (self.rules, self.overrides) if self.is_active else ((), ())
        return Agenda.at(
            now,
            zone_named(self.profile.timezone),
            rules,
            self.busy,
            policy,
            overrides=overrides,
            max_daily=self.profile.max_daily_appointments,
        )
