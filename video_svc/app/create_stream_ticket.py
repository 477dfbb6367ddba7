"""Makes a ticket that opens one event stream, for browsers that cannot send a token with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.access import visible
from video_svc.app.ports import Sessions, Tickets

_GOOD_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CreateStreamTicket:
    """The use case."""

    sessions: Sessions
    tickets: Tickets
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str) -> tuple[str, datetime]:
        """The ticket and when it runs out. Raises SessionNotFound."""
        await visible(self.sessions, caller, session_id)
        expires = self.clock() + _GOOD_FOR
        return await self.tickets.issue(session_id, caller, expires), expires
