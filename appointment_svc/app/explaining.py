"""Makes a refusal whole: every rule that the wish breaks, and times that would really be booked instead.

Only a refusal pays for this. The doctor service is asked where it has not spoken yet, the ledger by one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from appointment_svc.app.ports import Diaries, Doctors, Explanation, MatchWish
from appointment_svc.domain.diary import Diary
from appointment_svc.domain.failing import (
    PRECEDENCE,
    DoctorFacts,
    LedgerFacts,
    failing_at,
    failing_in_window,
    told_in_full,
)
from appointment_svc.domain.offers import Offer, alternatives, improvised
from appointment_svc.domain.rules import Rules
from chassis.clock import Clock
from kernel.civil_time import day_of, end_of_wall, zone_named
from kernel.errors import Refusal

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains refusals of bookings, holds and moves."""

    doctors: Doctors
    diaries: Diaries
    rules: Rules
    clock: Clock

    async def __call__(
        self,
        refusal: Refusal,
        wish: MatchWish,
        offers: Sequence[Offer] | None = None,
        *,
        moving: str | None = None,
        also: Sequence[Refusal] = (),
        waived: frozenset[str] = frozenset(),
    ) -> Refusal:
        """The refusal to raise in place of one.

        `offers` are given once the doctor service has no objection any more; `moving` is the appointment to be moved,
        which is not in its own way, and `also` what else refuses the move; `waived` are the rules that are set aside.
        """
        if refusal.reason not in PRECEDENCE:
            return refusal
        said = Explanation(list(offers), _known(wish, offers)) if offers else await self._ask(wish)
        diary = (await self._read(wish, said.offers)).without(moving)
        failing = [rule for rule in (*self._failing(wish, said, diary), *also) if rule.reason not in waived]
        others = alternatives(said.offers, diary=diary, daily_limit=self.rules.daily_limit)
        return told_in_full(refusal, failing, others)

    async def _ask(self, wish: MatchWish) -> Explanation:
        """What the doctor service says; where it says nothing, the refusal stands with what is known without it."""
        try:
            return await self.doctors.explain(wish)
        except Refusal as silence:
            doctor = DoctorFacts(None, is_verified=False) if silence.reason == "DOCTOR_UNVERIFIED" else None
            return Explanation([], doctor)

    async def _read(self, wish: MatchWish, offers: Sequence[Offer]) -> Diary:
        times = [slot for offer in offers for slot in (*offer.slots, *offer.others)]
        start = wish.start or self.clock()
        earliest = min((slot.start for slot in times), default=start)
        latest = max((slot.end + slot.buffer for slot in times), default=start)
        asked_until = start + wish.length + self.rules.clinic_buffer
        doctor_ids = {offer.doctor_id for offer in offers} | ({wish.doctor_id} if wish.doctor_id else set())
        # A day and more around, so that the visits of whole days can be counted.
        return await self.diaries.read(
            sorted(doctor_ids),
            wish.patient_id or None,
            min(earliest, start) - _A_DAY,
            max(latest, asked_until) + _A_DAY,
        )

    def _failing(self, wish: MatchWish, said: Explanation, diary: Diary) -> list[Refusal]:
        now = self.clock()
        if wish.start is not None:
            ledger = self._ledger_at(wish, wish.start, said, diary)
            return list(
                failing_at(wish.start, now, self.rules, said.doctor, ledger=ledger, specialty=wish.specialty_required)
            )
        if wish.preferred_date is None:
            return []
        zone = zone_named(wish.timezone)
        closes = end_of_wall(wish.preferred_date, wish.preferred_end, zone)
        ledger = self._ledger_of_window(wish, said.offers, diary)
        return list(failing_in_window(closes, wish.preferred_date, now, zone, self.rules, ledger=ledger))

    def _ledger_at(self, wish: MatchWish, start: datetime, said: Explanation, diary: Diary) -> LedgerFacts:
        end = start + wish.length
        is_busy = bool(diary.in_patients_way(start, end))
        taken = bool(wish.doctor_id) and self._is_taken(wish, start, said, diary)
        facts = LedgerFacts(slot_taken=taken, patient_busy=is_busy)
        zone = _zone(said)
        if zone is None:
            return facts
        day, limit = day_of(start, zone), self.rules.daily_limit
        most = said.doctor.max_daily if said.doctor is not None else 0
        if diary.doctor_is_full(wish.doctor_id, day, most):
            facts = replace(facts, doctors_full_day=day, max_daily=most)
        if diary.visits_on(day, limit) >= limit:
            facts = replace(facts, full_day=day, next_free_day=diary.next_day_with_room(day, limit))
        return facts

    def _is_taken(self, wish: MatchWish, start: datetime, said: Explanation, diary: Diary) -> bool:
        """Whether the doctor is booked then.

        Where the doctor service offers no slot, it is not known how many visits the hours take at a time; the claims
        that are there tell it. Outside of all hours it is one.
        """
        exact = next((offer.exact for offer in said.offers if offer.exact is not None), None)
        slot = exact or improvised(wish.kind, start, wish.length, self.rules.clinic_buffer)
        met = diary.in_doctors_way(wish.doctor_id, slot)
        if exact is None and said.doctor is not None and said.doctor.works_then and met:
            shared = slot._replace(capacity=max(claim.capacity for claim in met))
            return bool(diary.in_doctors_way(wish.doctor_id, shared))
        return bool(met)

    def _ledger_of_window(self, wish: MatchWish, offers: Sequence[Offer], diary: Diary) -> LedgerFacts:
        """What of the patient's own is in the way: visits at free times of the window, and a day that is full.

        Which day of the doctor's calendar it would be is open, so the day asked for stands for it.
        """
        busy = any(diary.in_patients_way(slot.start, slot.end) for offer in offers for slot in offer.slots)
        day, limit = wish.preferred_date, self.rules.daily_limit
        if day is None or diary.visits_on(day, limit) < limit:
            return LedgerFacts(patient_busy=busy)
        return LedgerFacts(patient_busy=busy, full_day=day, next_free_day=diary.next_day_with_room(day, limit))


def _known(wish: MatchWish, offers: Sequence[Offer]) -> DoctorFacts | None:
    """Facts of a doctor to whom the doctor service had no objection: that nothing is in the way."""
    return DoctorFacts(offers[0].zone, max_daily=offers[0].max_daily_appointments) if wish.doctor_id else None


def _zone(said: Explanation) -> tzinfo | None:
    if said.doctor is not None:
        return said.doctor.zone
    return said.offers[0].zone if said.offers else None
