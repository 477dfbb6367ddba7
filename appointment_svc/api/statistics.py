"""Figures between the contract and the use cases."""

from datetime import date
from zoneinfo import ZoneInfo

from telemed.appointment.v1 import statistics_pb2 as pb

from appointment_svc.api.requests import KINDS
from appointment_svc.app.ports import ListFilter
from appointment_svc.domain.statistics import BookingAnalytics, BookingFigures, SpecialtySuccess, VisitStats
from chassis.ids import parse_optional_uuid
from chassis.protos import from_date, to_optional_date, to_optional_instant
from kernel.civil_time import zone_named


def to_stats_filter(request: pb.GetStatsRequest) -> ListFilter:
    """Which visits to count."""
    return ListFilter(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        since=to_optional_instant(request, "from_time", label="from"),
        until=to_optional_instant(request, "to_time", label="to"),
    )


def from_stats(stats: VisitStats) -> pb.GetStatsResponse:
    """The figures of visits."""
    by_kind = sorted((KINDS.number(kind), count) for kind, count in stats.by_kind.items())
    return pb.GetStatsResponse(
        total_appointments=stats.total,
        completed_appointments=stats.completed,
        cancelled_appointments=stats.cancelled,
        no_show_appointments=stats.no_show,
        upcoming_appointments=stats.upcoming,
        average_duration_minutes=stats.average_minutes,
        appointment_type_breakdown=[
            pb.AppointmentTypeCount(appointment_type=number, count=count) for number, count in by_kind
        ],
        doctor_continuity_rate=stats.continuity_rate,
        continuity_visits=stats.continuity,
        possible_continuity_visits=stats.continuity_possible,
        average_match_score=stats.average_match_score,
    )


def to_days(request: pb.GetBookingAnalyticsRequest) -> tuple[date | None, date | None, ZoneInfo]:
    """The first and the last day, where given, and their zone."""
    return (
        to_optional_date(request, "from_date", label="from"),
        to_optional_date(request, "to_date", label="to"),
        zone_named(request.timezone),
    )


def from_analytics(analytics: BookingAnalytics, zone: ZoneInfo) -> pb.GetBookingAnalyticsResponse:
    """The figures of attempts to book."""
    return pb.GetBookingAnalyticsResponse(
        days=[pb.BookingDay(date=from_date(day), figures=_from_figures(figures)) for day, figures in analytics.days],
        total=_from_figures(analytics.total),
        specialties=map(_from_specialty, analytics.specialties),
        timezone=zone.key,
    )


def _from_figures(figures: BookingFigures) -> pb.BookingFigures:
    return pb.BookingFigures(
        bookings=figures.bookings,
        smart_bookings=figures.smart_bookings,
        manual_bookings=figures.manual_bookings,
        confirmed_holds=figures.confirmed_holds,
        continuity_bookings=figures.continuity_bookings,
        average_match_score=figures.average_match_score,
        smart_attempts=figures.smart_attempts,
        smart_success_rate=figures.smart_success_rate,
        manual_attempts=figures.manual_attempts,
        manual_success_rate=figures.manual_success_rate,
        hold_attempts=figures.hold_attempts,
        holds=figures.holds,
        failures=[pb.BookingFailure(reason=reason, count=count) for reason, count in figures.failures.items()],
    )


def _from_specialty(success: SpecialtySuccess) -> pb.SpecialtySuccess:
    return pb.SpecialtySuccess(
        specialty=success.specialty,
        attempts=success.attempts,
        successes=success.successes,
        success_rate=success.success_rate,
    )
