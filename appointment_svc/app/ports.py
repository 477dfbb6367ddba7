"""What the use cases need from outside, as promises."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.changes import Change
from appointment_svc.domain.diary import Diary
from appointment_svc.domain.failing import DoctorFacts
from appointment_svc.domain.offers import Candidate, Offer
from appointment_svc.domain.overriding import RuleOverride
from chassis.context import Caller
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.revision import ChangeOf, FeedPosition


class Method(StrEnum):
    """How a booking was made; the names are those of the RPCs."""

    SMART = "SmartBook"
    MANUAL = "Book"
    HOLD = "HoldSlot"


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The request_id of a call with a digest of what it asks, so that a repeat is told from another wish."""

    request_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class MatchWish:
    """What the doctor service is asked. Either `start` is exact, or date and times make a window in `timezone`.

    `exact_only`: where somebody is free at `start`, no other times are wanted. `at_least_revision` is of a change that
    the doctor service must know of before it answers.
    """

    patient_id: str
    kind: AppointmentType
    length: timedelta
    timezone: str
    specialty_required: str = ""
    allow_history: bool = True
    doctor_id: str = ""
    start: datetime | None = None
    exact_only: bool = False
    preferred_date: date | None = None
    preferred_start: time | None = None
    preferred_end: time | None = None
    at_least_revision: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the doctor service says of a wish: offers as of `match`, and, of a doctor asked for by id, facts."""

    offers: list[Offer]
    doctor: DoctorFacts | None


class Doctors(Protocol):
    """The doctor service."""

    async def explain(self, wish: MatchWish) -> Explanation:
        """Like `match`, and every rule that keeps the doctor asked for from being booked as wished."""
        ...

    async def match(self, wish: MatchWish) -> list[Offer]:
        """The doctors who fit, the best first, with their free times.

        Raises the doctor service's refusals as they come (SPECIALTY_NOT_AVAILABLE, DOCTOR_NOT_FOUND, …).
        """
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A booking that may be made: the appointment as it would be, its capacity and day, and the answer to save."""

    candidate: Candidate
    appointment: Appointment
    day: date
    answer: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """Drafts of one patient, in the order to try them.

    With an override, what is booked has one version more than a booking: that of the event which tells of it.
    """

    caller: Caller
    method: Method
    key: RequestKey | None
    daily_limit: int
    now: datetime
    drafts: Sequence[Draft]
    override: RuleOverride | None = None


class Outcome(StrEnum):
    """What the ledger made of an order."""

    BOOKED = "BOOKED"
    REPLAYED = "REPLAYED"
    SLOT_TAKEN = "SLOT_TAKEN"
    PATIENT_BUSY = "PATIENT_BUSY"
    DAILY_LIMIT_REACHED = "DAILY_LIMIT_REACHED"
    DOCTOR_DAY_FULL = "DOCTOR_DAY_FULL"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome; `draft` is the index of the draft it is about, `answer` what was saved for the call."""

    outcome: Outcome
    draft: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to book that came to nothing, for the statistics."""

    time: datetime
    method: Method
    reason: str
    kind: AppointmentType
    specialty_required: str


class Ledger(Protocol):
    """Who is busy when. Decides alone on every booking."""

    async def book(self, order: Order) -> Verdict:
        """Books the first draft that is free, with its event and its saved answer, or nothing at all.

        A hold that has run out is in nobody's way.

        Raises IdempotencyKeyReused when the key was used for another wish.
        """
        ...

    async def saved_answer(self, caller: Caller, method: Method, key: RequestKey) -> bytes | None:
        """The answer saved under a key. Raises IdempotencyKeyReused when the key was used for another wish."""
        ...

    async def note_attempt(self, attempt: Attempt) -> None:
        """Keeps an attempt that came to nothing."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """Who changes which appointment by which RPC; `answer` renders the reply to save under `key`.

    `overridden` tells, of the appointment as it was, which rules were set aside to change it.
    """

    caller: Caller
    method: str
    appointment_id: str
    key: RequestKey | None
    answer: Callable[[Appointment], bytes]
    overridden: Callable[[Appointment], RuleOverride | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class NewTime:
    """What the ledger must know to move an appointment: seats of the new time, its day, and the limits of a day."""

    capacity: int
    day: date
    daily_limit: int
    doctor_daily_limit: int = 0


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which appointments to list; None means any. `since` is inclusive, `until` exclusive."""

    patient_id: str | None = None
    doctor_id: str | None = None
    status: AppointmentStatus | None = None
    kind: AppointmentType | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The last appointment of a page: the next one begins after it."""

    start: datetime
    appointment_id: str


class Appointments(Protocol):
    """The appointments as they stand."""

    async def get(self, appointment_id: str) -> Appointment | None:
        """One appointment, or None."""
        ...

    async def page(self, wanted: ListFilter, after: PagePosition | None, limit: int) -> list[Appointment]:
        """Appointments with the latest start first, at most `limit`, after a position."""
        ...

    async def saved_answer(self, order: ChangeOrder) -> bytes | None:
        """The answer saved under the order's key. Raises IdempotencyKeyReused when it came with another wish."""
        ...

    async def change(
        self,
        order: ChangeOrder,
        now: datetime,
        decide: Callable[[Appointment], Appointment],
        new_time: NewTime | None = None,
    ) -> bytes:
        """Puts what `decide` makes of the locked appointment in its place, in one transaction.

        Nothing is written when that is the appointment as it was.

        Its time is freed when the new state keeps none, and moved when `new_time` is given. Answers what was saved for
        the call. Raises AppointmentNotFound, IdempotencyKeyReused, what `decide` does, and for a move SlotTaken,
        PatientBusy and DailyLimitReached; after a refusal everything is as before.
        """
        ...


class Diaries(Protocol):
    """The ledger, read only. Never from a cache: each reading is of this moment."""

    async def read(
        self, doctor_ids: Sequence[str], patient_id: str | None, earliest: datetime, latest: datetime
    ) -> Diary:
        """What the doctors have claimed of a stretch of time, and the patient of that and of everything after it."""
        ...

    async def newest_change(self, doctor_ids: Sequence[str], earliest: datetime, latest: datetime) -> str:
        """The revision of the last change of a visit that claims the doctors' time then; empty without one."""
        ...


@dataclass(frozen=True, slots=True)
class FeedChange:
    """One numbered change. The appointment is without the words that people wrote."""

    number: int
    kind: Change
    time: datetime
    appointment: Appointment
    version: int
    traceparent: str


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Which changes to read: one patient's, one doctor's, of some kinds; None, and no kind, mean everything."""

    patient_id: str | None = None
    doctor_id: str | None = None
    kinds: frozenset[Change] = frozenset()

    def lets_through(self, change: FeedChange) -> bool:
        """Whether a change is among them."""
        return (
            self.patient_id in (None, change.appointment.patient_id)
            and self.doctor_id in (None, change.appointment.doctor_id)
            and (not self.kinds or change.kind in self.kinds)
        )


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some changes in order, the number up to which they are complete, and the newest number there is."""

    changes: Sequence[FeedChange]
    complete: int
    head: int


class Feed(Protocol):
    """The numbered changes."""

    async def position_of(self, change: ChangeOf) -> FeedPosition | None:
        """Where a change stands in the feed, or None while it is not numbered."""
        ...

    def follow(self, reader: FeedReader, after: int) -> AsyncIterator[FeedPage]:
        """What a reader lets through after a number, for ever; a page without changes is a sign of life."""
        ...
