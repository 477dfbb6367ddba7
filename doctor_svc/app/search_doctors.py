"""Finds doctors by words and attributes, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Caller
from chassis.paging import page_length
from doctor_svc.app.ports import DoctorSearch
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.search import Position, SearchWish
from kernel.errors import PermissionDenied

LARGEST_PAGE = 100
USUAL_PAGE = 20


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some of the found, in order, and where the next page begins; None after the last."""

    doctors: Sequence[Doctor]
    next: Position | None


@dataclass(frozen=True, slots=True)
class SearchDoctors:
    """The use case."""

    search: DoctorSearch

    async def __call__(self, caller: Caller, wish: SearchWish, after: Position | None, page_size: int) -> SearchPage:
        """One page. Raises InvalidArgument, and PermissionDenied when others than staff ask for hidden doctors."""
        size = page_length(page_size, largest=LARGEST_PAGE, usual=USUAL_PAGE)
        if not (wish.is_public or caller.is_staff):
            raise PermissionDenied("doctors who are not verified or not active are told to administrators alone")
        hits = await self.search.page(wish, after, size + 1)
        following = hits[size - 1].position if len(hits) > size else None
        return SearchPage([hit.doctor for hit in hits[:size]], following)
