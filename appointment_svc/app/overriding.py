"""Finds the place of a visit with some rules set aside, and tells which of them were in the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from appointment_svc.app.explaining import Explainer
from appointment_svc.app.ports import Doctors, MatchWish
from appointment_svc.domain.errors import NoAvailability
from appointment_svc.domain.failing import PRECEDENCE, failing_at
from appointment_svc.domain.offers import Candidate, improvised
from appointment_svc.domain.overriding import RuleOverride
from appointment_svc.domain.rules import Rules
from chassis.clock import Clock
from kernel.errors import InvalidArgument, Refusal


@dataclass(frozen=True, slots=True)
class Place:
    """Where the visit goes, and the rules that are broken by it and set aside."""

    candidate: Candidate
    broken: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Overriding:
    """For bookings and moves of staff. Costs a little more than those that break no rule; they are rare."""

    doctors: Doctors
    explain: Explainer
    clock: Clock
    rules: Rules

    async def place(
        self, wish: MatchWish, override: RuleOverride, *, moving: str | None = None, also: Sequence[Refusal] = ()
    ) -> Place:
        """The place of a visit at an exact start of one doctor; `also` are further rules that it breaks.

        Raises the first rule that is broken and not set aside, with all the others that are neither.
        """
        if wish.start is None or not wish.doctor_id:
            raise InvalidArgument.of("doctor_id", "is required where rules are set aside")
        said = await self.doctors.explain(wish)
        failing = failing_at(wish.start, self.clock(), self.rules, said.doctor, specialty=wish.specialty_required)
        broken = sorted((*failing, *also), key=lambda rule: PRECEDENCE.index(rule.reason))
        if standing := override.standing(broken):
            waived = frozenset(override.rules)
            raise await self.explain(standing[0], wish, moving=moving, also=also, waived=waived)
        if not said.offers:
            raise NoAvailability.of()
        offer = said.offers[0]
        slot = offer.exact or improvised(wish.kind, wish.start, wish.length, self.rules.clinic_buffer)
        return Place(Candidate(offer, slot), tuple(broken))
