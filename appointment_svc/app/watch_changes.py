"""Streams the committed changes that a caller may see, in order, from any earlier one on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from appointment_svc.app.access import reader_for, require_own
from appointment_svc.app.ports import Feed, FeedPage, FeedReader
from chassis.accesses import note_access, note_query
from chassis.context import Caller
from chassis.signals import Signal
from kernel.errors import InvalidArgument
from kernel.revision import ChangeOf, FeedPosition

_NUMBERED_WITHIN_POLLS = 20
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class WatchChanges:
    """The use case."""

    feed: Feed
    grown: Signal

    async def __call__(
        self, caller: Caller, wanted: FeedReader, after: FeedPosition | ChangeOf
    ) -> AsyncIterator[FeedPage]:
        """Page after page, for ever; one without changes is a sign of life.

        Raises PermissionDenied for somebody else's changes, and InvalidArgument for a revision that does not exist.
        """
        own = reader_for(caller)
        require_own(own, wanted.patient_id, wanted.doctor_id, "changes")
        reader = replace(
            wanted, patient_id=own.patient_id or wanted.patient_id, doctor_id=own.doctor_id or wanted.doctor_id
        )
        note_access(patient_id=reader.patient_id)
        note_query(doctor_id=reader.doctor_id, kinds=",".join(sorted(kind.value for kind in reader.kinds)))
        async for page in self.feed.follow(reader, await self._number_of(after)):
            yield page

    async def _number_of(self, after: FeedPosition | ChangeOf) -> int:
        """The number to start after; a change made a moment ago is waited for until it has one."""
        if isinstance(after, FeedPosition):
            return after.number
        for _ in range(_NUMBERED_WITHIN_POLLS):
            seen = self.grown.count
            position = await self.feed.position_of(after)
            if position is not None:
                return position.number
            await self.grown.wait(seen, _POLL_SECONDS)
        raise InvalidArgument.of("after_revision", "names a change that does not exist")
