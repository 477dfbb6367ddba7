"""How good a connection was: from what a browser measures to a mean opinion score, a rating and named issues."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class Sample:
    """What one browser measured in one interval of an attempt; `number` counts intervals from 1.

    Round trip and jitter are milliseconds, loss is a percentage of packets (0 to 100), bitrate is kilobits a second of
    what came in. `is_muted` says that nothing was meant to come in, so that silence is no fault.
    """

    number: int
    seconds: float
    round_trip_ms: float
    jitter_ms: float
    loss_percent: float
    bitrate_kbps: float
    is_muted: bool = False

    @property
    def r_factor(self) -> float:
        """The transmission rating factor of the interval; 0 when nothing came in that should have."""
        if not self.bitrate_kbps and not self.is_muted:
            return 0.0
        return r_factor(self.round_trip_ms, self.jitter_ms, self.loss_percent)


@dataclass(frozen=True, slots=True)
class Measured:
    """A sample with whose it is and of which attempt."""

    side: ParticipantType
    attempt: int
    sample: Sample


def r_factor(round_trip_ms: float, jitter_ms: float, loss_percent: float) -> float:
    """The simplified E-model of ITU-T G.107: how good speech can be over such a connection, at most 93.2.

    The delay that an ear notices is half the round trip, twice the jitter (the receiver's buffer) and 10 ms for the
    codec. It costs little below 160 ms and a tenth of a point a millisecond above (a common linear reading of G.107's
    Id); each per cent of lost packets costs 2.5.
    """
    delay = round_trip_ms / 2 + 2 * jitter_ms + 10
    impairment = delay / 40 if delay < _NOTICED_DELAY_MS else (delay - 120) / 10
    return _BEST_R - impairment - 2.5 * loss_percent


def mos(r: float) -> float:
    """The mean opinion score of an R factor, 1 (bad) to 4.5 (excellent): ITU-T G.107 Annex B."""
    if r <= 0:
        return 1.0
    if r >= 100:  # noqa: PLR2004 - the scale's end
        return 4.5
    return max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


def rating_of(r: float) -> int:
    """1 to 5, by the five categories of users' satisfaction of ITU-T G.107 Annex B (Table B.1): 90, 80, 70, 60."""
    return 1 + sum(r >= least for least in _CATEGORIES)


class Issue(Enum):
    """What was wrong with a connection; the names are those of the contract."""

    # More than 300 ms of round trip: 150 ms one way is where ITU-T G.114 sees talk begin to suffer.
    HIGH_LATENCY = "HIGH_LATENCY"
    # More than 5 % of packets were lost.
    PACKET_LOSS = "PACKET_LOSS"
    # Packets came more than 50 ms unevenly.
    JITTER = "JITTER"
    # Less than 100 kbit/s came in: too little for a picture.
    LOW_BITRATE = "LOW_BITRATE"
    # Nothing came in.
    NO_MEDIA = "NO_MEDIA"
    # The participant had to connect again.
    RECONNECTED = "RECONNECTED"


def issues_of(sample: Sample) -> frozenset[Issue]:
    """What was wrong in one interval."""
    found = set()
    if sample.round_trip_ms > _MOST_ROUND_TRIP_MS:
        found.add(Issue.HIGH_LATENCY)
    if sample.loss_percent > _MOST_LOSS_PERCENT:
        found.add(Issue.PACKET_LOSS)
    if sample.jitter_ms > _MOST_JITTER_MS:
        found.add(Issue.JITTER)
    if not sample.is_muted and sample.bitrate_kbps < _LEAST_BITRATE_KBPS:
        found.add(Issue.LOW_BITRATE if sample.bitrate_kbps else Issue.NO_MEDIA)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An issue of one side, and for how many seconds it was measured; 0 where it has no duration."""

    side: ParticipantType
    issue: Issue
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One side's connection over all of its attempts; averages and the median are weighted by time."""

    side: ParticipantType
    attempts: int
    seconds: float
    round_trip_ms: float
    jitter_ms: float
    loss_percent: float
    bitrate_kbps: float
    median_r: float
    worst_r: float
    poor_seconds: float


def summary_of(side: ParticipantType, measured: Sequence[Measured]) -> Summary | None:
    """What one side measured, summed up; None when it has measured nothing."""
    own = [one for one in measured if one.side is side]
    samples = [one.sample for one in own]
    seconds = sum(one.seconds for one in samples)
    if not seconds:
        return None

    def average(values: Iterable[float]) -> float:
        return sum(value * one.seconds for value, one in zip(values, samples, strict=True)) / seconds

    return Summary(
        side=side,
        attempts=len({one.attempt for one in own}),
        seconds=seconds,
        round_trip_ms=average(one.round_trip_ms for one in samples),
        jitter_ms=average(one.jitter_ms for one in samples),
        loss_percent=average(one.loss_percent for one in samples),
        bitrate_kbps=average(one.bitrate_kbps for one in samples),
        median_r=_median_r(samples),
        worst_r=min(one.r_factor for one in samples),
        poor_seconds=sum(one.seconds for one in samples if one.r_factor < _POOR_R),
    )


def troubles_of(measured: Sequence[Measured]) -> tuple[Trouble, ...]:
    """What was wrong on each side, the longest first."""
    seconds: dict[tuple[ParticipantType, Issue], float] = {}
    for one in measured:
        for issue in issues_of(one.sample):
            key = (one.side, issue)
            seconds[key] = seconds.get(key, 0.0) + one.sample.seconds
    for side in ParticipantType:
        if len({one.attempt for one in measured if one.side is side}) > 1:
            seconds[side, Issue.RECONNECTED] = 0.0
    found = [Trouble(side, issue, length) for (side, issue), length in seconds.items()]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.side.value, one.issue.value)))


def visit_rating(measured: Sequence[Measured]) -> int | None:
    """The quality of a visit, 1 to 5: by the time-weighted median of all that both sides measured; None without any."""
    samples = [one.sample for one in measured]
    return rating_of(_median_r(samples)) if samples else None


def _median_r(samples: Sequence[Sample]) -> float:
    """The R factor below which half of the time lies."""
    ordered = sorted((one.r_factor, one.seconds) for one in samples)
    half, passed = sum(seconds for _, seconds in ordered) / 2, 0.0
    for r, seconds in ordered:
        passed += seconds
        if passed >= half:
            return r
    raise ValueError("a median needs a sample")


_BEST_R = 93.2
_NOTICED_DELAY_MS = 160
_CATEGORIES = (60, 70, 80, 90)
_POOR_R = 40
_MOST_ROUND_TRIP_MS = 300
_MOST_LOSS_PERCENT = 5
_MOST_JITTER_MS = 50
_LEAST_BITRATE_KBPS = 100
