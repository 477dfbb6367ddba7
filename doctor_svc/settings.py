"""What the doctor service reads from its environment."""

from datetime import timedelta

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.settings import ServerSettings
from doctor_svc.domain.window import BookingPolicy


class DoctorSettings(ServerSettings):
    """The server's own; read from DOCTOR_* variables."""

    model_config = SettingsConfigDict(env_prefix="DOCTOR_", extra="ignore", frozen=True)

    search_cache_ttl_seconds: float = Field(
        default=60.0, ge=0, le=3600, description="How long an answer of a search may be told again; 0 keeps none."
    )
    availability_cache_ttl_seconds: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        validation_alias=AliasChoices("availability_cache_ttl_seconds", "AVAILABILITY_CACHE_TTL_SECONDS"),
        description="How long doctors' hours are kept by version, under the clinic's own name; 0 keeps none.",
    )
    availability_summary_refresh_seconds: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        validation_alias=AliasChoices("availability_summary_refresh_seconds", "AVAILABILITY_SUMMARY_REFRESH_SECONDS"),
        description="From one refresh of the summary of the next days to the next, in one replica at a time; 0: never.",
    )
    redis_url: str = Field(
        default="",
        validation_alias=AliasChoices("redis_url", "REDIS_URL"),
        description="A Redis in which all replicas keep them together; without one each keeps its own.",
    )
    appointment_target: str = Field(description="The appointment service, whose changes we copy: localhost:3001.")

    @property
    def summary_period(self) -> timedelta:
        """The same as a length of time; nothing for never."""
        return timedelta(seconds=self.availability_summary_refresh_seconds)


class RuleSettings(BaseSettings):
    """The clinic's rules, named alike in every service and therefore without a prefix."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    medical_scheduling_min_advance_hours: float = Field(
        default=2.0, ge=0, le=24 * 30, description="The least time between now and the start of a visit."
    )
    medical_scheduling_max_advance_days: int = Field(
        default=90, ge=0, le=730, description="How many days of the doctor's calendar after today can be booked."
    )
    medical_scheduling_default_buffer_minutes: int = Field(
        default=10, ge=0, le=120, description="Minutes kept free after a visit of a kind that names none."
    )
    enable_history_prioritization: bool = Field(
        default=True, description="Whether a doctor whom the patient has visited before comes first."
    )

    @property
    def policy(self) -> BookingPolicy:
        """The same as the domain speaks of it."""
        return BookingPolicy(
            notice=timedelta(hours=self.medical_scheduling_min_advance_hours),
            horizon_days=self.medical_scheduling_max_advance_days,
            clinic_buffer=timedelta(minutes=self.medical_scheduling_default_buffer_minutes),
        )
