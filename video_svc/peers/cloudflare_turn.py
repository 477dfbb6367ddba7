"""TURN by Cloudflare: credentials that live for hours at most, made for each participant."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from chassis.clock import Clock, system_clock
from video_svc.app.media_errors import MediaError, MediaErrorKind
from video_svc.domain.media import IceServer, IceServers, ProviderHealth
from video_svc.peers.cloudflare_http import CloudflareHttp, Operation

# Credentials that nobody heard of harm nobody, so both calls may be repeated.
_ISSUE = Operation("ice_servers", "POST", repeatable=True)
_REVOKE = Operation("revoke", "POST", repeatable=True)
_LONGEST = timedelta(hours=48)
_SHORTEST = timedelta(minutes=1)
_URL = re.compile(r"(stun|stuns|turn|turns):\S+")
# Browsers refuse to connect to port 53, and an address they refuse costs them seconds of gathering.
_BLOCKED_PORT = re.compile(r":53(\?|$)")


@dataclass(frozen=True, slots=True)
class CloudflareTurn:
    """Keeps the promises of video_svc.app.media_ports.IceProvider. Credentials live in real time: `clock` is real."""

    http: CloudflareHttp
    key_id: str
    clock: Clock = system_clock

    async def ice_servers(self, subject: str, lifetime: timedelta, /) -> IceServers:
        """Fresh credentials, for at least a minute and at most 48 hours."""
        lifetime = min(max(lifetime, _SHORTEST), _LONGEST)
        # Their answer does not say when the credentials end: at the earliest, counted from before the call.
        expires = self.clock() + lifetime
        body = {"ttl": int(lifetime.total_seconds()), "customIdentifier": subject}
        answer = await self.http.call(_ISSUE, f"{self._credentials}/generate-ice-servers", body)
        servers = tuple(_servers(answer))
        if not any(server.credential for server in servers):
            raise MediaError(MediaErrorKind.UNAVAILABLE, code="no_credentials")
        return IceServers(servers, expires)

    async def revoke(self, username: str, /) -> None:
        """Ends credentials; the allocations made with them are cut soon after."""
        try:
            await self.http.call(_REVOKE, f"{self._credentials}/{quote(username, safe='')}/revoke")
        except MediaError as error:
            # 404: they have run out, which was the wish.
            if error.kind is not MediaErrorKind.NOT_CONFIGURED:
                raise

    async def health(self) -> ProviderHealth:
        """By the last real calls: a probe would have to make credentials."""
        return self.http.health()

    @property
    def _credentials(self) -> str:
        return f"/turn/keys/{self.key_id}/credentials"


def _servers(answer: Any) -> Iterator[IceServer]:
    """The servers of an answer: a list of them, or the one object of the older form."""
    found = answer.get("iceServers") if isinstance(answer, Mapping) else None
    for item in found if isinstance(found, list) else [found]:
        if not isinstance(item, Mapping):
            continue
        urls = tuple(_usable(item.get("urls")))
        if urls:
            yield IceServer(urls, _text(item, "username"), _text(item, "credential"))


def _usable(urls: object) -> Iterator[str]:
    for url in urls if isinstance(urls, list) else [urls]:
        if isinstance(url, str) and _URL.fullmatch(url) and not _BLOCKED_PORT.search(url):
            yield url


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
