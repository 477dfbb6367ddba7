"""What all ways to book have in common: drafts, the saved answer, the verdict of the ledger."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appointment_svc.app.ports import Attempt, Draft, Ledger, MatchWish, Method, Order, Outcome, RequestKey, Verdict
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.diary import Diary
from appointment_svc.domain.errors import DailyLimitReached, DoctorDayFull, PatientBusy
from appointment_svc.domain.offers import Candidate, Offer, alternatives
from appointment_svc.domain.overriding import OverridableRule, RuleOverride
from appointment_svc.domain.rules import MAX_NOTES, MAX_SPECIALTY, NO_LIMIT, Rules, check_text
from chassis.clock import Clock
from chassis.context import Caller
from chassis.decisions import decided
from chassis.ids import uuid7
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.errors import Refusal
from kernel.revision import token_of
from kernel.slots import AlternativeSlot

# So many drafts go to the ledger in one statement: under a race the first few decide, and each costs a little to make.
_DRAFTS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Visit:
    """What every booking says of the visit itself."""

    patient_id: str
    kind: AppointmentType
    length: timedelta
    timezone: str
    specialty_required: str
    patient_notes: str

    def match_wish(self) -> MatchWish:
        """What the doctor service is asked about the visit; with whom and when is the caller's to add."""
        return MatchWish(
            patient_id=self.patient_id,
            kind=self.kind,
            length=self.length,
            timezone=self.timezone,
            specialty_required=self.specialty_required,
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking made: the appointment, why this doctor, what else was free, and the token of the change."""

    appointment: Appointment
    reasons: tuple[str, ...]
    alternatives: tuple[AlternativeSlot, ...]
    revision: str


def check_words(visit: Visit) -> None:
    """Refuses words of a visit that are too long or cannot be stored."""
    check_text(visit.patient_notes, "patient_notes", MAX_NOTES)
    check_text(visit.specialty_required, "specialty_required", MAX_SPECIALTY)


Render = Callable[[Booking], bytes]


@dataclass(frozen=True, slots=True)
class BookingCall:
    """Who books, under which key, and how the answer is rendered for the caller and for those who repeat the call.

    `override` are the rules that were in the way and are set aside.
    """

    caller: Caller
    method: Method
    key: RequestKey | None
    render: Render
    override: RuleOverride | None = None


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Takes a wish to the ledger; the same for every way to book."""

    ledger: Ledger
    clock: Clock
    rules: Rules

    async def attempt(self, call: BookingCall, visit: Visit, work: Callable[[], Awaitable[bytes]]) -> bytes:
        """Runs one attempt to book: answers a repeat from what was saved, and keeps a failed attempt's reason.

        The ledger itself tells a repeat from a new call, so the key is looked up only for an attempt that does not get
        as far: the wish that was booked then may break a rule now, its own time being taken first of all.
        """
        try:
            answer = await work()
        except Refusal as refusal:
            if (saved := await self._saved(call)) is not None:
                return saved
            await self.ledger.note_attempt(
                Attempt(self.clock(), call.method, refusal.reason, visit.kind, visit.specialty_required)
            )
            decided("booking", "refused", method=call.method.value, reason=refusal.reason)
            raise
        decided("booking", "granted", method=call.method.value)
        return answer

    async def _saved(self, call: BookingCall) -> bytes | None:
        if call.key is None:
            return None
        return await self.ledger.saved_answer(call.caller, call.method, call.key)

    async def book_first_free(
        self,
        call: BookingCall,
        visit: Visit,
        candidates: Sequence[Candidate],
        offers: Sequence[Offer],
        diary: Diary | None = None,
    ) -> bytes | None:
        """Books the first candidate that the ledger accepts; None when every one was taken by others.

        What else was free is told of the offers, as far as it suits the patient's own days, if they are known.

        Raises PatientBusy or DailyLimitReached when it was the patient who could not take what was left, and
        DoctorDayFull when one time was asked for and its doctor has enough visits that day.
        """
        left = list(candidates)
        refusal: Refusal | None = None
        while left:
            batch = left[:_DRAFTS_AT_ONCE]
            # One moment for what is answered and what is kept.
            now = self.clock()
            drafts = [self._draft(call, visit, candidate, offers, diary=diary, now=now) for candidate in batch]
            verdict = await self.ledger.book(self._order(call, drafts, now))
            if verdict.outcome in (Outcome.BOOKED, Outcome.REPLAYED):
                if call.override is not None and verdict.outcome is Outcome.BOOKED:
                    decided("override", "used", method=call.method.value, overridden_rules=call.override.listed)
                return verdict.answer
            refusal = self._refusal(call, verdict, drafts) or refusal
            left = _still_worth_trying(left, drafts, verdict)
        if refusal is not None:
            raise refusal
        return None

    def _order(self, call: BookingCall, drafts: Sequence[Draft], now: datetime) -> Order:
        limit = NO_LIMIT if _sets_limit_aside(call) else self.rules.daily_limit
        return Order(call.caller, call.method, call.key, limit, now, drafts, call.override)

    def _draft(
        self,
        call: BookingCall,
        visit: Visit,
        candidate: Candidate,
        offers: Sequence[Offer],
        *,
        diary: Diary | None,
        now: datetime,
    ) -> Draft:
        appointment = self._appointment(call, visit, candidate, now)
        booking = Booking(
            appointment=appointment,
            reasons=candidate.offer.reasons,
            alternatives=alternatives(offers, candidate, diary=diary, daily_limit=self.rules.daily_limit),
            revision=token_of(appointment.id, appointment.version),
        )
        day = day_of(candidate.slot.start, candidate.offer.zone)
        return Draft(candidate, appointment, day, call.render(booking))

    def _appointment(self, call: BookingCall, visit: Visit, candidate: Candidate, now: datetime) -> Appointment:
        booked = _appointment(visit, candidate, now)
        if call.method is Method.HOLD:
            # A hold that outlived its visit's start could be confirmed for the past.
            end = min(booked.create_time + self.rules.hold_ttl, booked.start)
            return replace(booked, status=AppointmentStatus.HELD, hold_expire_time=end)
        if call.override is not None:
            booked = replace(booked, version=booked.version + 1)
        if booked.requires_approval:
            return replace(booked, status=AppointmentStatus.PENDING)
        return booked

    def _refusal(self, call: BookingCall, verdict: Verdict, drafts: Sequence[Draft]) -> Refusal | None:
        if verdict.outcome is Outcome.DOCTOR_DAY_FULL and call.method is not Method.SMART:
            draft = drafts[verdict.draft]
            return DoctorDayFull.of(draft.day, draft.candidate.offer.max_daily_appointments)
        if verdict.outcome is Outcome.PATIENT_BUSY:
            return PatientBusy.of()
        if verdict.outcome is Outcome.DAILY_LIMIT_REACHED:
            return DailyLimitReached.of(self.rules.daily_limit)
        return None


def _sets_limit_aside(call: BookingCall) -> bool:
    return call.override is not None and OverridableRule.DAILY_LIMIT_REACHED in call.override.rules


def _still_worth_trying(left: list[Candidate], drafts: Sequence[Draft], verdict: Verdict) -> list[Candidate]:
    """What of the candidates may still be booked after a refusal."""
    if verdict.outcome in (Outcome.SLOT_TAKEN, Outcome.DOCTOR_DAY_FULL):
        return left[len(drafts) :]
    rest = left[verdict.draft + 1 :]
    if verdict.outcome is Outcome.DAILY_LIMIT_REACHED:
        full_day = drafts[verdict.draft].day
        return [c for c in rest if day_of(c.slot.start, c.offer.zone) != full_day]
    return rest


def _appointment(visit: Visit, candidate: Candidate, now: datetime) -> Appointment:
    slot, offer = candidate.slot, candidate.offer
    return Appointment(
        id=str(uuid7(now)),
        patient_id=visit.patient_id,
        doctor_id=offer.doctor_id,
        status=AppointmentStatus.CONFIRMED,
        kind=visit.kind,
        start=slot.start,
        end=slot.end,
        buffer=slot.buffer,
        seat=0,
        timezone=visit.timezone,
        specialty_required=visit.specialty_required,
        patient_notes=visit.patient_notes,
        match_score=offer.match_score,
        is_preferred_doctor=offer.is_preferred,
        cancel_reason="",
        version=1,
        create_time=now,
        update_time=now,
        requires_approval=offer.requires_approval,
        match_policy_version=offer.policy_version,
    )
