"""Between the measured quality of connections and its messages."""

from datetime import datetime

from telemed.video.v1 import quality_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.enum_map import EnumMap
from video_svc.api.convert import from_session
from video_svc.app.get_session_stats import SessionStats
from video_svc.domain.quality import Issue, Sample, Summary, Trouble, mos
from video_svc.domain.session import JoinRules
from video_svc.domain.visit import ParticipantType

_SIDES = EnumMap(pb.ParticipantType.DESCRIPTOR, ParticipantType)
_ISSUES = EnumMap(quality_pb2.ConnectionIssue.DESCRIPTOR, Issue)


def to_samples(request: quality_pb2.ReportQualityRequest) -> tuple[Sample, ...]:
    """The samples of a report."""
    return tuple(
        Sample(
            number=one.number,
            seconds=one.seconds,
            round_trip_ms=one.round_trip_ms,
            jitter_ms=one.jitter_ms,
            loss_percent=one.loss_percent,
            bitrate_kbps=one.bitrate_kbps,
            is_muted=one.is_muted,
        )
        for one in request.samples
    )


def from_stats(stats: SessionStats, rules: JoinRules, now: datetime) -> pb.SessionStats:
    """The answer of GetSessionStats."""
    session = from_session(stats.session, rules, now)
    answer = pb.SessionStats(
        session_id=session.session_id,
        state=session.state,
        quality_rating=stats.rating or 0,
        troubles=[_trouble(one) for one in stats.troubles],
        participants=[_summary(one) for one in stats.summaries],
    )
    for name in ("actual_start_time", "actual_end_time"):
        if session.HasField(name):
            getattr(answer, name).CopyFrom(getattr(session, name))
    return answer


def _trouble(one: Trouble) -> pb.ConnectionTrouble:
    return pb.ConnectionTrouble(
        participant_type=_SIDES.number(one.side), issue=_ISSUES.number(one.issue), seconds=one.seconds
    )


def _summary(one: Summary) -> pb.ParticipantStats:
    return pb.ParticipantStats(
        participant_type=_SIDES.number(one.side),
        attempts=one.attempts,
        measured_seconds=one.seconds,
        average_round_trip_ms=one.round_trip_ms,
        average_jitter_ms=one.jitter_ms,
        average_loss_percent=one.loss_percent,
        average_bitrate_kbps=one.bitrate_kbps,
        median_mean_opinion_score=mos(one.median_r),
        worst_mean_opinion_score=mos(one.worst_r),
        poor_seconds=one.poor_seconds,
    )
