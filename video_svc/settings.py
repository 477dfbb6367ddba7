"""Configuration of the video service, from VIDEO_* variables."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServerSettings
from video_svc.domain.media import IceServer
from video_svc.domain.session import JoinRules

IceUrl = Annotated[str, StringConstraints(pattern=r"^(stun|stuns|turn|turns):\S+$")]


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


class VideoSettings(ServerSettings):
    """What the video service is told when it starts."""

    model_config = SettingsConfigDict(env_prefix="VIDEO_", extra="ignore", frozen=True)

    appointment_target: str = Field(description="The appointment service's gRPC target, such as localhost:3001.")
    public_url: str = Field(
        default="http://localhost:3000", pattern=r"^https?://[^\s?#]+$", description="Where browsers find the pages."
    )
    ice_servers: tuple[IceServerSettings, ...] = Field(
        default=(IceServerSettings(urls=("stun:stun.cloudflare.com:3478",)),),
        description="A JSON list of RTCIceServer objects; [] where browsers reach each other without help.",
    )
    join_key_file: Path | None = Field(
        default=None,
        description="PEM of the P-256 key that signs join tokens, made when absent; without it the key lives and dies "
        "with the process, which is right for one replica and wrong for two.",
    )
    join_opens_minutes_before: int = Field(default=10, ge=0, le=24 * 60, description="Minutes before the start.")
    join_closes_minutes_after: int = Field(default=30, ge=0, le=24 * 60, description="Minutes after the end.")
    join_token_minutes: int = Field(default=10, ge=1, le=10, description="How long a join token is good.")

    @property
    def join_rules(self) -> JoinRules:
        """When participants are let in."""
        return JoinRules(
            opens_before=timedelta(minutes=self.join_opens_minutes_before),
            closes_after=timedelta(minutes=self.join_closes_minutes_after),
        )

    @property
    def join_token_ttl(self) -> timedelta:
        """How long a join token is good."""
        return timedelta(minutes=self.join_token_minutes)

    @property
    def visit_page(self) -> str:
        """The address below which each session has its page."""
        return f"{self.public_url.rstrip('/')}/session"
