"""Waits until our copy of the visits holds a change that the caller knows of: nobody reads behind their own write."""

from dataclasses import dataclass

from chassis.admission import waiting_for_others
from chassis.context import remaining_seconds
from chassis.signals import Signal
from doctor_svc.app.ports import VisitCopy
from kernel.errors import Unavailable
from kernel.revision import parse_revision

# Another replica may apply the change, and its signal does not reach us: so look now and then as well.
_POLL_SECONDS = 0.05
# What stays for the refusal to reach the caller before the deadline does.
_RESERVE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class AwaitRevision:
    """The use case. `applied` fires after each batch that this process applies."""

    copy: VisitCopy
    applied: Signal

    async def __call__(self, token: str) -> None:
        """Returns once the change of that token is applied; an empty token waits for nothing.

        Raises InvalidArgument for a token that nobody gave, Unavailable when the call's deadline comes first.
        """
        if not token:
            return
        revision = parse_revision(token, "at_least_revision")
        while True:
            seen = self.applied.count
            if await self.copy.holds(revision):
                return
            remaining = remaining_seconds()
            if remaining is not None and remaining <= _RESERVE_SECONDS:
                raise Unavailable("the change named by at_least_revision has not arrived here yet")
            with waiting_for_others():
                await self.applied.wait(seen, _POLL_SECONDS)
