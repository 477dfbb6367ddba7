"""STUN and TURN servers that are fixed by configuration."""

from dataclasses import dataclass
from datetime import timedelta

from video_svc.app.ports import IceServer


@dataclass(frozen=True, slots=True)
class StaticIce:
    """Keeps the promises of video_svc.app.ports.IceProvider: configured credentials do not run out."""

    servers: tuple[IceServer, ...]

    async def ice_servers(self, _lifetime: timedelta, /) -> tuple[IceServer, ...]:
        """The configured servers."""
        return self.servers
