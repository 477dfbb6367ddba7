"""Lists the exceptions to a doctor's hours, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.context import Caller
from chassis.paging import page_length
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Hours
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.overrides import Override


@dataclass(frozen=True, slots=True)
class OverridesQuestion:
    """Whose overrides, from which day on (None: all of them), and the page after which first day and id."""

    doctor_id: str
    not_over_before: date | None
    after: tuple[date, str] | None
    page_size: int


@dataclass(frozen=True, slots=True)
class OverridesPage:
    """Some overrides, and the first day and id after which the next page begins; None on the last."""

    overrides: Sequence[Override]
    next: tuple[date, str] | None


@dataclass(frozen=True, slots=True)
class ListOverrides:
    """The use case."""

    hours: Hours

    async def __call__(self, caller: Caller, question: OverridesQuestion) -> OverridesPage:
        """One page, by first day. Raises DoctorNotFound, InvalidArgument."""
        length, found = page_length(question.page_size), None
        if is_self_or_staff(caller, question.doctor_id):
            found = await self.hours.overrides(question.doctor_id, question.not_over_before, question.after, length + 1)
        if found is None:
            raise DoctorNotFound
        last = found[length - 1] if len(found) > length else None
        return OverridesPage(found[:length], (last.first_day, last.override_id) if last else None)
