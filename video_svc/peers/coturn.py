"""TURN servers of the clinic's own (coturn with `use-auth-secret`): credentials that the shared secret vouches for."""

import base64
import hashlib
import hmac
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chassis.clock import Clock, system_clock
from video_svc.domain.media import IceServer, IceServers, ProviderHealth


@dataclass(frozen=True, slots=True)
class Coturn:
    """Keeps the promises of video_svc.app.media_ports.IceProvider.

    The user name is "<unix time of expiry>:<subject>" and the password the Base64 of its HMAC-SHA1 by the shared secret
    (the TURN REST API, draft-uberti-behave-turn-rest-00), so the server checks it without asking anyone. Credentials
    live in real time, so `clock` is real.
    """

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    clock: Clock = system_clock

    async def ice_servers(self, subject: str, lifetime: timedelta, /) -> IceServers:
        """Credentials that are good for `lifetime`, rounded up to the second."""
        expires = datetime.fromtimestamp(math.ceil((self.clock() + lifetime).timestamp()), UTC)
        username = f"{int(expires.timestamp())}:{subject}"
        # SHA-1 is the protocol's choice; as an HMAC it is still sound (RFC 6151 says so even of MD5).
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return IceServers((IceServer(self.urls, username, base64.b64encode(digest).decode()),), expires)

    async def revoke(self, _username: str, /) -> None:
        """Cannot be done one by one: the server keeps no list of what is good. They end by themselves."""

    async def health(self) -> ProviderHealth:
        """Nobody is asked for credentials, so they never fail to come."""
        return ProviderHealth("coturn", is_configured=True)
