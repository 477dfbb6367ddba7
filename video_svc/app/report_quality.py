"""Takes what a browser has measured of its connection."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Caller
from video_svc.app.access import own_side
from video_svc.app.numbers import jitter_seconds, lost_packets_ratio, mean_opinion_score, round_trip_seconds
from video_svc.app.ports import Sessions
from video_svc.app.quality_ports import Qualities
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.joining import require_let_in
from video_svc.domain.quality import Sample, mos
from video_svc.domain.samples import check_samples


@dataclass(frozen=True, slots=True)
class ReportQuality:
    """The use case. What was measured last is taken also from somebody who has just left."""

    sessions: Sessions
    qualities: Qualities

    async def __call__(self, caller: Caller, session_id: str, attempt: int, samples: Sequence[Sample]) -> float:
        """The mean opinion score of the newest sample, 1 to 4.5.

        Raises SessionNotFound, NotAdmitted, StaleAttempt, InvalidArgument.
        """
        session = await self.sessions.get(session_id)
        if session is None:
            raise SessionNotFound
        side = own_side(caller, session)
        require_let_in(session, side).require_current(attempt)
        check_samples(samples)
        await self.qualities.keep(session_id, side, attempt, samples)
        for sample in samples:
            mean_opinion_score.observe(mos(sample.r_factor))
            round_trip_seconds.observe(sample.round_trip_ms / 1000)
            jitter_seconds.observe(sample.jitter_ms / 1000)
            lost_packets_ratio.observe(sample.loss_percent / 100)
        return mos(max(samples, key=lambda sample: sample.number).r_factor)
