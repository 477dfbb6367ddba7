"""STUN and TURN servers that are fixed by configuration."""

from dataclasses import dataclass
from datetime import timedelta

from video_svc.domain.media import IceServer, IceServers, ProviderHealth


@dataclass(frozen=True, slots=True)
class StaticIce:
    """Keeps the promises of video_svc.app.media_ports.IceProvider: configured credentials do not run out."""

    servers: tuple[IceServer, ...]

    async def ice_servers(self, _subject: str, _lifetime: timedelta, /) -> IceServers:
        """The configured servers."""
        return IceServers(self.servers)

    async def revoke(self, _username: str, /) -> None:
        """Nothing to do: what is configured for all stays good for all."""

    async def health(self) -> ProviderHealth:
        """Always well."""
        return ProviderHealth("static", is_configured=True)
