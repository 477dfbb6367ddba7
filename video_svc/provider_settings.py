"""Configuration of what carries media and of what helps browsers find a path; refused when it is incomplete."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.settings import SECRETS_DIR
from video_svc.domain.media import IceServer

IceUrl = Annotated[str, StringConstraints(pattern=r"^(stun|stuns|turn|turns):\S+$")]
TurnUrl = Annotated[str, StringConstraints(pattern=r"^turns?:\S+$")]
ProviderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$")]


def _header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII")
    return SecretStr(text)


# It travels in a header; a newline from the end of a file is not part of it.
BearerToken = Annotated[SecretStr, AfterValidator(_header_value)]


class MediaChoice(StrEnum):
    """Who carries sound and picture."""

    PEER_TO_PEER = "peer_to_peer"
    CLOUDFLARE = "cloudflare"


class IceChoice(StrEnum):
    """Where STUN and TURN servers come from."""

    STATIC = "static"
    COTURN = "coturn"
    CLOUDFLARE = "cloudflare"


class IceServerSettings(BaseModel):
    """One STUN or TURN server, written as the browser's RTCIceServer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[IceUrl, ...] = Field(min_length=1, description='Addresses, such as "stun:stun.example.org:3478".')
    username: str = Field(default="", description="The TURN user name; empty for STUN.")
    credential: SecretStr = Field(default=SecretStr(""), description="The TURN credential; empty for STUN.")

    @model_validator(mode="after")
    def _turn_needs_credentials(self) -> Self:
        has_credentials = bool(self.username and self.credential.get_secret_value())
        if any(url.startswith("turn") for url in self.urls) and not has_credentials:
            raise ValueError("a turn: server needs a username and a credential")
        return self

    def to_server(self) -> IceServer:
        """The same for the use cases."""
        return IceServer(self.urls, self.username, self.credential.get_secret_value())


class CloudflareSettings(BaseSettings):
    """The clinic's accounts at Cloudflare Realtime, from CLOUDFLARE_* variables. A refusal never repeats a value."""

    model_config = SettingsConfigDict(
        env_prefix="CLOUDFLARE_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        secrets_dir=SECRETS_DIR,
    )

    realtime_app_id: ProviderId = Field(default="", description="The SFU app.")
    realtime_api_token: BearerToken = Field(default=SecretStr(""), description="The SFU app's secret.")
    turn_key_id: ProviderId = Field(default="", description="The TURN key.")
    turn_key_api_token: BearerToken = Field(default=SecretStr(""), description="The TURN key's own API token.")
    account_id: ProviderId = Field(default="", description="The account; for people's notes, no call needs it.")
    realtime_base_url: str = Field(
        default="https://rtc.live.cloudflare.com/v1", pattern=r"^https?://[^\s?#]+$", description="Both APIs' address."
    )


class ProviderSettings(BaseSettings):
    """Which providers are used, and all that they need, from VIDEO_* variables."""

    model_config = SettingsConfigDict(env_prefix="VIDEO_", extra="ignore", frozen=True, hide_input_in_errors=True)

    media_provider: MediaChoice = Field(default=MediaChoice.PEER_TO_PEER, description="Who carries the media.")
    ice_provider: IceChoice = Field(default=IceChoice.STATIC, description="Where STUN and TURN servers come from.")
    ice_servers: tuple[IceServerSettings, ...] = Field(
        default=(IceServerSettings(urls=("stun:stun.cloudflare.com:3478",)),),
        description="static: a JSON list of RTCIceServer objects; [] where browsers reach each other without help.",
    )
    coturn_urls: tuple[TurnUrl, ...] = Field(
        default=(),
        description='coturn: a JSON list of addresses, such as ["turn:turn.example.org:3478?transport=udp"].',
    )
    coturn_secret: SecretStr = Field(default=SecretStr(""), description="coturn: its static-auth-secret.")
    cloudflare: CloudflareSettings = Field(
        default_factory=CloudflareSettings, validate_default=True, description="cloudflare: the accounts."
    )

    @model_validator(mode="after")
    def _chosen_providers_are_configured(self) -> Self:
        for name, variables in self._needed().items():
            missing = [variable for variable, value in variables.items() if not value]
            if missing:
                raise ValueError(f"{name} needs {' and '.join(missing)}")
        return self

    def _needed(self) -> dict[str, dict[str, object]]:
        """The variables that each choice needs, with what they say."""
        needed: dict[str, dict[str, object]] = {}
        if self.media_provider is MediaChoice.CLOUDFLARE:
            needed["VIDEO_MEDIA_PROVIDER=cloudflare"] = {
                "CLOUDFLARE_REALTIME_APP_ID": self.cloudflare.realtime_app_id,
                "CLOUDFLARE_REALTIME_API_TOKEN": self.cloudflare.realtime_api_token.get_secret_value(),
            }
        if self.ice_provider is IceChoice.CLOUDFLARE:
            needed["VIDEO_ICE_PROVIDER=cloudflare"] = {
                "CLOUDFLARE_TURN_KEY_ID": self.cloudflare.turn_key_id,
                "CLOUDFLARE_TURN_KEY_API_TOKEN": self.cloudflare.turn_key_api_token.get_secret_value(),
            }
        if self.ice_provider is IceChoice.COTURN:
            needed["VIDEO_ICE_PROVIDER=coturn"] = {
                "VIDEO_COTURN_URLS": self.coturn_urls,
                "VIDEO_COTURN_SECRET": self.coturn_secret.get_secret_value(),
            }
        return needed
