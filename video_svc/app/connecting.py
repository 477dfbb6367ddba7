"""What a browser is given to connect with: nothing secret before its participant was admitted."""

from dataclasses import dataclass
from datetime import timedelta

from video_svc.app.media_errors import MediaError, refusal_of
from video_svc.app.media_ports import IceProvider, MediaProvider
from video_svc.app.negotiating import Negotiating
from video_svc.domain.attempt import AttemptKey
from video_svc.domain.media import IceServer, IceServers, Topology
from video_svc.domain.participant import Participant

# Long enough for most visits; a longer one asks again (RefreshIce).
_ICE_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to the other participant. `provider_session_id` is empty when the browsers talk peer to peer."""

    topology: Topology
    ice: IceServers
    provider_session_id: str = ""


@dataclass(frozen=True, slots=True)
class Connecting:
    """Knows the providers. `public_ice` are the servers that need no credentials, which anybody may be told."""

    media: MediaProvider
    ice: IceProvider
    negotiating: Negotiating
    public_ice: tuple[IceServer, ...]

    async def of(self, session_id: str, participant: Participant) -> Connection:
        """The connection of the participant's current attempt, or what somebody who waits may know of it."""
        topology = self.media.caps.topology
        if not participant.is_in_call:
            return Connection(topology, IceServers(self.public_ice))
        provider_session_id = ""
        if topology is Topology.SFU:
            key = AttemptKey(session_id, participant.side, participant.attempt)
            # Random, and nothing that an outsider could lay beside anything else.
            label = f"{participant.participant_id}.{participant.attempt}"
            provider_session_id = await self.negotiating.opened(key, lambda: self.media.open_session(label))
        return Connection(topology, await self.ice_servers(participant), provider_session_id)

    async def ice_servers(self, participant: Participant) -> IceServers:
        """Fresh ICE servers for somebody who is in the call. Raises what the provider refuses."""
        try:
            return await self.ice.ice_servers(participant.participant_id, _ICE_LIFETIME)
        except MediaError as error:
            raise refusal_of(error) from error
