"""Does what only the clock can ask for: ends what has lasted too long, and forgets what nobody may keep."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.background import periodically
from chassis.clock import Clock
from video_svc.app.negotiation_ports import Attempts
from video_svc.app.ports import Sessions, Signals, Tickets
from video_svc.domain.presence import at
from video_svc.domain.session import JoinRules

_EVERY_SECONDS = 2.0
# Signals hold addresses of people's machines: they are kept until both are connected and a little longer, for what was
# still on its way, and never longer than a slow connecting takes.
_SIGNALS_LIVE = timedelta(minutes=5)
_SIGNALS_ONCE_CONNECTED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class KeepTime:
    """The use case. Several replicas may do it at once: each session is changed under its lock, and changed once."""

    sessions: Sessions
    signals: Signals
    tickets: Tickets
    attempts: Attempts
    rules: JoinRules
    clock: Clock

    async def __call__(self) -> None:
        """Does what is due now."""
        now = self.clock()
        for session_id in await self.sessions.due(now):
            await self.sessions.change(session_id, lambda session: at(session, self.rules, now))
        await self.signals.forget(now - _SIGNALS_LIVE, now - _SIGNALS_ONCE_CONNECTED)
        await self.tickets.forget(now)
        await self.attempts.forget(now - _SIGNALS_LIVE)

    async def run(self) -> None:
        """Does it every other second, for ever."""
        await periodically(_EVERY_SECONDS, self)
