"""Moves an appointment to another time of the same doctor, with rules set aside by staff."""

from dataclasses import dataclass, replace
from datetime import timedelta

from appointment_svc.app.access import notice_owed, require_may_override
from appointment_svc.app.changing import guarded
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.overriding import Overriding, Place
from appointment_svc.app.ports import Appointments, ChangeOrder, NewTime
from appointment_svc.app.reschedule_appointment import Move, match_wish, movable
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import DailyLimitReached
from appointment_svc.domain.failing import failing_to_move, told_in_full
from appointment_svc.domain.overriding import OverridableRule, RuleOverride
from appointment_svc.domain.rules import NO_LIMIT, Rules
from chassis.clock import Clock
from kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class RescheduleOverriding:
    """The use case. Whose time is taken stays taken: the ledger is asked as by everybody."""

    appointments: Appointments
    overriding: Overriding
    explain: Explainer
    clock: Clock
    rules: Rules

    async def __call__(self, order: ChangeOrder, move: Move, override: RuleOverride) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        require_may_override(order.caller)
        move.require_whole_minute()
        if (saved := await self.appointments.saved_answer(order)) is not None:
            return saved
        current = await movable(self.appointments, order)
        wish, stuck = match_wish(current, move), self._stuck(order, current)
        place = await self.overriding.place(wish, override, moving=current.id, also=stuck)
        in_the_way = [rule for rule in place.broken if rule not in stuck]
        try:
            try:
                return await self._move(order, move, override, replace(place, broken=tuple(in_the_way)))
            except DailyLimitReached as full:
                if not override.waives(full):
                    raise
                return await self._move(order, move, override, replace(place, broken=(*in_the_way, full)))
        except Refusal as refusal:
            waived = frozenset(override.rules)
            raise await self.explain(refusal, wish, moving=current.id, also=stuck, waived=waived) from None

    def _stuck(self, order: ChangeOrder, current: Appointment) -> list[Refusal]:
        notice = notice_owed(order.caller, self.rules.reschedule_notice)
        return list(failing_to_move(current, self.clock(), notice))

    async def _move(self, order: ChangeOrder, move: Move, override: RuleOverride, place: Place) -> bytes:
        slot, now = place.candidate.slot, self.clock()

        def moved(locked: Appointment) -> Appointment:
            if standing := override.standing(self._stuck(order, locked)):
                raise told_in_full(standing[0], standing)
            return locked.rescheduled(slot, now, timedelta.min)

        used = replace(order, overridden=lambda was: override.used_for((*place.broken, *self._stuck(order, was))))
        limit = self.rules.daily_limit
        if any(rule.reason == OverridableRule.DAILY_LIMIT_REACHED for rule in place.broken):
            limit = NO_LIMIT
        new_time = NewTime(slot.capacity, place.candidate.day, limit, place.candidate.offer.max_daily_appointments)
        return await self.appointments.change(used, now, guarded(order, move.etag, moved), new_time)
