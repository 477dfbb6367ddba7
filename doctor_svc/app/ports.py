"""What the use cases need from outside; each docstring is a promise that every implementation keeps."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.demands import Demands
from doctor_svc.domain.doctor import Doctor, PrivateDetails
from doctor_svc.domain.doctor_stats import Tally
from doctor_svc.domain.overrides import BookedVisit, Override, Stretch
from doctor_svc.domain.recommending import Known
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.search import Hit, Position, SearchWish
from doctor_svc.domain.summary import DaySummary, DoctorSummary
from doctor_svc.domain.summary import Position as SummaryPosition
from doctor_svc.domain.visits import Visit
from doctor_svc.domain.window import Window
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.revision import ChangeOf, FeedPosition


class Doctors(Protocol):
    """The profiles."""

    async def get(self, doctor_id: str) -> Doctor | None:
        """The doctor of that id, verified or not, or None."""


class DoctorSearch(Protocol):
    """Doctors by what they are searched by."""

    async def page(self, wish: SearchWish, after: Position | None, limit: int) -> list[Hit]:
        """At most `limit` doctors who meet the wish, in its order, from after a position on."""


class Schedules(Protocol):
    """Doctors with all that slots and scores are made of; whatever is told of one doctor is of one moment, now."""

    async def of_doctor(
        self, doctor_id: str, patient_id: str | None, stretch: Window, now: datetime
    ) -> Schedule | None:
        """One doctor, verified or not, with the busy times that touch a stretch of time; None when there is none.

        Holds that have run out by `now` keep no time. Without a patient, nobody has visited before.
        """

    async def who_meet(
        self,
        demands: Demands,
        patient_id: str | None,
        stretch: Window,
        limit: int,
        *,
        now: datetime,
        everyone: bool = False,
    ) -> list[Schedule]:
        """At most `limit` active, verified doctors who meet the demands, likewise.

        Where there are more, those whom the patient has visited come first, then the better rated; a rating that few
        people gave counts little. With `everyone` all doctors, and before these the active, verified ones who have the
        specialty.
        """

    async def of_doctors(self, doctor_ids: Sequence[str], stretch: Window, now: datetime) -> list[Schedule]:
        """Those of the doctors who are there, likewise, in no particular order; nobody has visited before."""


class Hours(Protocol):
    """The rules of doctors and the exceptions to them, page by page. Each method is one statement."""

    async def rules(self, doctor_id: str, after: str | None, limit: int) -> list[AvailabilityRule] | None:
        """At most `limit` rules with ids after the given one, in order; None when there is no such doctor."""

    async def overrides(
        self, doctor_id: str, not_over_before: date | None, after: tuple[date, str] | None, limit: int
    ) -> list[Override] | None:
        """At most `limit` overrides by first day and id, after the given ones; None when there is no such doctor."""


class Insights(Protocol):
    """What is known about doctors beyond their free times. Each method is one statement."""

    async def recommendable(self, specialty: str, patient_id: str | None, limit: int) -> list[Known]:
        """At most `limit` verified, active doctors with the visits that the patient has completed with each.

        Where there are more, those who have the specialty (empty: any) come first, then those whom the patient has
        visited, then the better rated. Without a patient, nobody has visited before.
        """

    async def tallies(self, doctor_id: str, start: datetime, end: datetime) -> dict[AppointmentStatus, Tally]:
        """The doctor's visits that start in `[start, end)`, by state; a state without visits is left out."""


class Summaries(Protocol):
    """The summaries of the next days, as of the last refresh."""

    async def page(
        self, specialty: str, after: SummaryPosition | None, limit: int
    ) -> tuple[list[DoctorSummary], datetime | None]:
        """At most `limit` public doctors by next free time, after a position, and when the last refresh was."""


class SummaryRefresh(Protocol):
    """The right to refresh the summaries, while one has it."""

    async def last(self) -> datetime | None:
        """When the summaries were last refreshed, by the service's clock; None for never."""

    async def public_doctors(self, after: str | None, limit: int) -> list[str]:
        """At most `limit` ids of public doctors after the given one, in order."""

    async def put(self, days: Sequence[tuple[str, DaySummary]], now: datetime) -> None:
        """Keeps the days of some doctors, counted at `now`, in place of those kept before."""

    async def finish(self, now: datetime) -> None:
        """Forgets days not counted at `now`, and shows the rest to everyone."""


class SummaryRefreshes(Protocol):
    """Where the right to refresh is had."""

    def turn(self) -> AbstractAsyncContextManager[SummaryRefresh | None]:
        """The right to refresh, for one replica at a time; None while another has it. A killed one gives it back."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The request_id of one caller's call of one method, with a digest of what it asks."""

    caller: str
    method: str
    request_id: str
    fingerprint: bytes


class Unit(Protocol):
    """The changes of one transaction."""

    async def add_doctor(self, doctor: Doctor, private: PrivateDetails) -> None:
        """Adds a doctor. Raises EmailTaken."""

    async def take_doctor(self, doctor_id: str) -> tuple[Doctor, PrivateDetails] | None:
        """The doctor with what is never shown, kept from everyone else's changes until the end; None without one."""

    async def put_doctor(self, doctor: Doctor, private: PrivateDetails) -> None:
        """Stores a doctor that was taken, as changed; the rating stays what it is. Raises EmailTaken."""

    async def set_verified(self, doctor_id: str, now: datetime, *, is_verified: bool) -> Doctor | None:
        """Stores the verdict and answers the doctor after it, or None; the same verdict again is no change."""

    async def lock_doctor(self, doctor_id: str) -> bool:
        """Keeps everyone else from changing the doctor's hours until the end; False when there is no such doctor."""

    async def rules_of(self, doctor_id: str, kind: AppointmentType) -> Sequence[AvailabilityRule]:
        """The doctor's rules for a kind."""

    async def rule(self, doctor_id: str, rule_id: str) -> AvailabilityRule | None:
        """One rule of a doctor, or None."""

    async def add_rule(self, rule: AvailabilityRule, now: datetime) -> None:
        """Adds a rule."""

    async def put_rule(self, rule: AvailabilityRule) -> None:
        """Stores a rule that is there already, as changed; call it under lock_doctor."""

    async def delete_rule(self, rule_id: str) -> None:
        """Deletes a rule."""

    async def zone_name_of(self, doctor_id: str) -> str | None:
        """The name of a doctor's zone, or None when there is no such doctor."""

    async def add_override(self, override: Override, now: datetime) -> None:
        """Adds an override."""

    async def delete_override(self, doctor_id: str, override_id: str) -> bool:
        """Deletes an override of a doctor; False when there is none."""

    async def booked_within(
        self, doctor_id: str, stretches: Sequence[Stretch], now: datetime, limit: int
    ) -> tuple[list[BookedVisit], int]:
        """The doctor's booked visits, not over yet, that overlap a stretch: the first by start, and how many in all."""


class Transactions(Protocol):
    """Where changes are made, all of a unit or none."""

    async def once(self, key: RequestKey | None, now: datetime, work: Callable[[Unit], Awaitable[bytes]]) -> bytes:
        """Does the work and answers its result, saved under the key; a repeat gets what was saved and does nothing.

        A concurrent twin waits for the first. What the work raises undoes it all, and nothing is saved then. Raises
        IdempotencyKeyReused when the key was used for another wish.
        """


class VisitCopy(Protocol):
    """Our copy of the visits, and how far in the feed it reaches."""

    async def cursor(self) -> int:
        """The number of the last change that the copy holds; 0 before the first."""

    async def keep(self, visits: Sequence[Visit], number: int) -> None:
        """Keeps visits (one version of each, in the order of their ids) and the cursor, both or neither.

        A visit that is held as new or newer stays as it is, and the cursor never moves back.
        """

    async def holds(self, revision: FeedPosition | ChangeOf) -> bool:
        """Whether the copy is at least that new."""
