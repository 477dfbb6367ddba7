"""Makes the providers of media and of paths that the configuration chooses; a further one is a line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from video_svc.app.media_ports import IceProvider, MediaProvider
from video_svc.peers.breaker import Breaker
from video_svc.peers.cloudflare_http import CloudflareHttp
from video_svc.peers.cloudflare_sfu import CloudflareSfu
from video_svc.peers.cloudflare_turn import CloudflareTurn
from video_svc.peers.coturn import Coturn
from video_svc.peers.peer_to_peer import PeerToPeer
from video_svc.peers.static_ice import StaticIce
from video_svc.provider_settings import IceChoice, MediaChoice, ProviderSettings

_Connect: TypeAlias = Callable[[str], CloudflareHttp]


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of a process, and the connections that they hold."""

    media: MediaProvider
    ice: IceProvider
    connections: tuple[CloudflareHttp, ...] = ()

    async def close(self) -> None:
        """Lets go of the connections."""
        for connection in self.connections:
            await connection.close()


def providers_of(settings: ProviderSettings) -> Providers:
    """The chosen providers; nothing is called yet. To be made in the running loop."""
    connections: list[CloudflareHttp] = []

    def connect(token: str) -> CloudflareHttp:
        # Each API has a token, and troubles, of its own, so each has its own breaker.
        connections.append(CloudflareHttp(settings.cloudflare.realtime_base_url, token, Breaker()))
        return connections[-1]

    media, ice = _media(settings, connect), _ice(settings, connect)
    return Providers(media, ice, tuple(connections))


def _media(settings: ProviderSettings, connect: _Connect) -> MediaProvider:
    account = settings.cloudflare
    match settings.media_provider:
        case MediaChoice.PEER_TO_PEER:
            return PeerToPeer()
        case MediaChoice.CLOUDFLARE:
            return CloudflareSfu(connect(account.realtime_api_token.get_secret_value()), account.realtime_app_id)


def _ice(settings: ProviderSettings, connect: _Connect) -> IceProvider:
    account = settings.cloudflare
    match settings.ice_provider:
        case IceChoice.STATIC:
            return StaticIce(tuple(server.to_server() for server in settings.ice_servers))
        case IceChoice.COTURN:
            return Coturn(settings.coturn_urls, settings.coturn_secret.get_secret_value())
        case IceChoice.CLOUDFLARE:
            return CloudflareTurn(connect(account.turn_key_api_token.get_secret_value()), account.turn_key_id)
