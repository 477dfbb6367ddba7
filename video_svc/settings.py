"""Configuration of the video service, from VIDEO_* variables."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServerSettings
from video_svc.domain.session import JoinRules
from video_svc.provider_settings import ProviderSettings


class VideoSettings(ProviderSettings, ServerSettings):
    """What the video service is told when it starts."""

    model_config = SettingsConfigDict(env_prefix="VIDEO_", extra="ignore", frozen=True)

    appointment_target: str = Field(description="The appointment service's gRPC target, such as localhost:3001.")
    public_url: str = Field(
        default="http://localhost:3000", pattern=r"^https?://[^\s?#]+$", description="Where browsers find the pages."
    )
    join_key_file: Path | None = Field(
        default=None,
        description="PEM of the P-256 key that signs join tokens, made when absent; without it the key lives and dies "
        "with the process, which is right for one replica and wrong for two.",
    )
    join_opens_minutes_before: int = Field(default=10, ge=0, le=24 * 60, description="Minutes before the start.")
    join_closes_minutes_after: int = Field(default=30, ge=0, le=24 * 60, description="Minutes after the end.")
    join_token_minutes: int = Field(default=10, ge=1, le=10, description="How long a join token is good.")

    session_max_duration_minutes: int = Field(
        default=120, ge=5, le=24 * 60, description="A visit ends by itself so long after it began."
    )
    reconnect_grace_seconds: int = Field(
        default=300, ge=5, le=3600, description="An interrupted visit ends when nobody came back for so long."
    )
    heartbeat_timeout_seconds: int = Field(
        default=45, ge=15, le=600, description="Who was not heard of for so long has left."
    )

    @property
    def join_rules(self) -> JoinRules:
        """When participants are let in, and what the clock ends."""
        return JoinRules(
            opens_before=timedelta(minutes=self.join_opens_minutes_before),
            closes_after=timedelta(minutes=self.join_closes_minutes_after),
            lasts_at_most=timedelta(minutes=self.session_max_duration_minutes),
            grace=timedelta(seconds=self.reconnect_grace_seconds),
            silence=timedelta(seconds=self.heartbeat_timeout_seconds),
        )

    @property
    def join_token_ttl(self) -> timedelta:
        """How long a join token is good."""
        return timedelta(minutes=self.join_token_minutes)

    @property
    def visit_page(self) -> str:
        """The address below which each session has its page."""
        return f"{self.public_url.rstrip('/')}/session"
