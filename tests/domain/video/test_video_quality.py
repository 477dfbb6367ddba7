"""From what a browser measures to a score, a rating and named issues; the check values were worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import InvalidArgument
from video_svc.domain.quality import (
    Issue,
    Measured,
    Sample,
    issues_of,
    mos,
    r_factor,
    rating_of,
    summary_of,
    troubles_of,
    visit_rating,
)
from video_svc.domain.samples import check_samples
from video_svc.domain.visit import ParticipantType

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR


def sample(number: int = 1, **changed: float) -> Sample:
    good = {"seconds": 15.0, "round_trip_ms": 40.0, "jitter_ms": 3.0, "loss_percent": 0.0, "bitrate_kbps": 1200.0}
    return Sample(number=number, **(good | changed))


def measured(*samples: Sample, side: ParticipantType = PATIENT, attempt: int = 1) -> list[Measured]:
    return [Measured(side, attempt, one) for one in samples]


@pytest.mark.parametrize(
    ("round_trip", "jitter", "loss", "r", "score"),
    [
        (0, 0, 0, 92.95, 4.40),
        (40, 5, 0, 92.2, 4.39),
        (200, 30, 2, 83.2, 4.14),
        (300, 50, 10, 54.2, 2.80),
        (100, 10, 20, 41.2, 2.12),
    ],
)
def test_the_score_follows_the_simplified_e_model(
    round_trip: float, jitter: float, loss: float, r: float, score: float
) -> None:
    assert r_factor(round_trip, jitter, loss) == pytest.approx(r, abs=0.01)
    assert mos(r_factor(round_trip, jitter, loss)) == pytest.approx(score, abs=0.005)


@given(st.floats(0, 10_000), st.floats(0, 10_000), st.floats(0, 100))
def test_a_score_is_always_on_its_scale(round_trip: float, jitter: float, loss: float) -> None:
    assert 1 <= mos(r_factor(round_trip, jitter, loss)) <= 4.5


@given(st.floats(0, 93.2), st.floats(0, 93.2))
def test_a_better_connection_never_has_a_worse_rating(one: float, other: float) -> None:
    assert rating_of(min(one, other)) <= rating_of(max(one, other))


@pytest.mark.parametrize(("r", "rating"), [(92.9, 5), (90, 5), (89.9, 4), (80, 4), (70, 3), (60, 2), (59.9, 1), (0, 1)])
def test_the_five_ratings_are_the_five_categories(r: float, rating: int) -> None:
    assert rating_of(r) == rating


def test_nothing_coming_in_is_the_worst_there_is_unless_it_was_muted() -> None:
    silent = sample(bitrate_kbps=0)
    assert (mos(silent.r_factor), issues_of(silent)) == (1.0, {Issue.NO_MEDIA})
    muted = Sample(1, 15, 40, 3, 0, 0, is_muted=True)
    assert (rating_of(muted.r_factor), issues_of(muted)) == (5, set())


def test_each_issue_has_its_limit() -> None:
    assert issues_of(sample(round_trip_ms=300, jitter_ms=50, loss_percent=5, bitrate_kbps=100)) == set()
    bad = sample(round_trip_ms=301, jitter_ms=51, loss_percent=5.1, bitrate_kbps=99)
    assert issues_of(bad) == {Issue.HIGH_LATENCY, Issue.JITTER, Issue.PACKET_LOSS, Issue.LOW_BITRATE}


def test_the_rating_goes_by_time_and_not_by_the_number_of_samples() -> None:
    short_and_bad = [sample(number, seconds=1, loss_percent=30) for number in range(1, 10)]
    assert visit_rating(measured(*short_and_bad, sample(10, seconds=60))) == 5
    assert visit_rating(measured(*short_and_bad, sample(10, seconds=5))) == 1
    assert visit_rating([]) is None


def test_a_summary_weighs_by_time_and_keeps_the_worst() -> None:
    found = summary_of(
        PATIENT, measured(sample(1, seconds=30, round_trip_ms=10), sample(2, seconds=10, loss_percent=40))
    )
    assert found is not None
    assert (found.seconds, found.round_trip_ms, found.loss_percent) == (40, pytest.approx(17.5), pytest.approx(10))
    assert (found.poor_seconds, found.attempts) == (10, 1)
    assert found.worst_r < 0 < found.median_r
    assert summary_of(DOCTOR, measured(sample())) is None


def test_troubles_are_named_per_side_the_longest_first() -> None:
    found = troubles_of(
        measured(sample(1, loss_percent=9), sample(2, loss_percent=9))
        + measured(sample(1, jitter_ms=90), side=DOCTOR)
        + measured(sample(1), side=DOCTOR, attempt=2)
    )
    assert [(one.side, one.issue, one.seconds) for one in found] == [
        (PATIENT, Issue.PACKET_LOSS, 30),
        (DOCTOR, Issue.JITTER, 15),
        (DOCTOR, Issue.RECONNECTED, 0),
    ]


@pytest.mark.parametrize(
    ("samples", "field"),
    [
        ([], "samples"),
        ([sample(number) for number in range(1, 62)], "samples"),
        ([sample(), sample()], "samples"),
        ([sample(0)], "samples[0].number"),
        ([sample(), sample(2, seconds=0)], "samples[1].seconds"),
        ([sample(seconds=61)], "samples[0].seconds"),
        ([sample(round_trip_ms=-1)], "samples[0].round_trip_ms"),
        ([sample(jitter_ms=float("nan"))], "samples[0].jitter_ms"),
        ([sample(loss_percent=100.1)], "samples[0].loss_percent"),
        ([sample(bitrate_kbps=float("inf"))], "samples[0].bitrate_kbps"),
    ],
)
def test_a_sample_that_cannot_be_is_refused_by_its_field(samples: list[Sample], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_samples(samples)
    assert [violation.field for violation in refused.value.violations] == [field]
