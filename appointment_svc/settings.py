"""Configuration of the appointment service, from the environment."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from appointment_svc.domain.rules import Rules
from chassis.settings import ServerSettings


class AppointmentSettings(ServerSettings):
    """APPOINTMENT_* variables."""

    model_config = SettingsConfigDict(env_prefix="APPOINTMENT_", extra="ignore", frozen=True)

    clock_seconds: float = Field(default=5, gt=0, description="How often time is let pass (holds, no-shows).")
    doctor_target: str = Field(description="The doctor service, as a gRPC target such as dns:///doctor:3002.")


class RuleSettings(BaseSettings):
    """The clinic's rules; the names are the clinic's own and carry no prefix."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    medical_scheduling_min_advance_hours: float = Field(default=2, ge=0, description="Notice that a booking needs.")
    medical_scheduling_max_advance_days: int = Field(default=90, ge=0, description="The horizon of bookings.")
    medical_scheduling_default_buffer_minutes: int = Field(
        default=10, ge=0, le=120, description="Minutes kept free after a visit of a kind that names none."
    )
    medical_scheduling_cancel_notice_hours: float = Field(default=24, ge=0, description="Notice of a cancellation.")
    medical_scheduling_reschedule_notice_hours: float = Field(default=48, ge=0, description="Notice of a move.")
    medical_scheduling_daily_limit: int = Field(default=3, ge=1, description="Active visits a patient and day.")
    hold_ttl_seconds: float = Field(default=600, ge=1, le=86_400, description="How long a hold keeps its time.")
    no_show_after_minutes: float = Field(default=30, ge=0, description="After the start, a patient has missed it.")
    auto_complete_after_minutes: float = Field(default=30, ge=0, description="After the end, a visit is over.")
    enable_smart_booking: bool = Field(default=True, description="Whether SmartBook is open.")

    def rules(self) -> Rules:
        """The rules as the domain knows them."""
        return Rules(
            min_advance=timedelta(hours=self.medical_scheduling_min_advance_hours),
            max_advance_days=self.medical_scheduling_max_advance_days,
            cancel_notice=timedelta(hours=self.medical_scheduling_cancel_notice_hours),
            reschedule_notice=timedelta(hours=self.medical_scheduling_reschedule_notice_hours),
            daily_limit=self.medical_scheduling_daily_limit,
            no_show_after=timedelta(minutes=self.no_show_after_minutes),
            overtime=timedelta(minutes=self.auto_complete_after_minutes),
            hold_ttl=timedelta(seconds=self.hold_ttl_seconds),
            clinic_buffer=timedelta(minutes=self.medical_scheduling_default_buffer_minutes),
            smart_booking=self.enable_smart_booking,
        )
