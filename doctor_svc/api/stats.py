"""A doctor's numbers between the contract and the use case."""

from datetime import timedelta

from telemed.doctor.v1 import insights_pb2 as pb

from chassis.ids import parse_uuid
from chassis.protos import from_date, to_optional_date
from doctor_svc.app.get_doctor_stats import StatsAnswer, StatsQuestion
from doctor_svc.domain.doctor_stats import DoctorStats
from kernel.appointment_status import AppointmentStatus

_MINUTE = timedelta(minutes=1)


def to_stats_question(request: pb.GetDoctorStatsRequest) -> StatsQuestion:
    """Which days of which doctor."""
    return StatsQuestion(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        first=to_optional_date(request, "from_date", label="from"),
        last=to_optional_date(request, "to_date", label="to"),
        at_least_revision=request.at_least_revision,
    )


def from_stats_answer(answer: StatsAnswer) -> pb.DoctorStats:
    """The numbers; what cannot be divided is not there."""
    doctor, stats = answer.doctor, answer.stats
    return pb.DoctorStats(
        doctor_id=doctor.doctor_id,
        timezone=doctor.profile.timezone,
        from_date=from_date(stats.days.first),
        to_date=from_date(stats.days.last),
        visits=_counts(stats),
        offered_minutes=stats.offered // _MINUTE,
        booked_minutes=stats.booked // _MINUTE,
        utilisation=stats.utilisation,
        continuity_rate=stats.continuity_rate,
        completion_rate=stats.completion_rate,
        no_show_rate=stats.no_show_rate,
        rating=doctor.rating,
        rating_count=doctor.rating_count,
    )


def _counts(stats: DoctorStats) -> pb.VisitCounts:
    by_state = {status.value.lower(): stats.count(status) for status in AppointmentStatus}
    return pb.VisitCounts(total=sum(by_state.values()), **by_state)
