"""The breaker before a provider: when it opens, and how it closes again."""

from video_svc.peers.breaker import Breaker, BreakerState


def failed(times: int) -> Breaker:
    """A breaker after so many failures in a row at the instant 0, of three that it takes."""
    breaker = Breaker(most_failures=3, pause_seconds=10)
    for _ in range(times):
        breaker.failed(0)
    return breaker


def test_two_failures_of_three_change_nothing() -> None:
    assert failed(2).state(0) is BreakerState.CLOSED
    assert failed(2).lets_through(0)


def test_the_third_in_a_row_opens_it_for_the_pause() -> None:
    breaker = failed(3)
    assert breaker.state(9.9) is BreakerState.OPEN
    assert not breaker.lets_through(9.9)


def test_a_success_between_begins_the_count_anew() -> None:
    breaker = failed(2)
    breaker.succeeded()
    breaker.failed(0)
    assert breaker.state(0) is BreakerState.CLOSED


def test_after_the_pause_one_call_goes_to_see_and_the_others_wait() -> None:
    breaker = failed(3)
    assert breaker.state(10) is BreakerState.HALF_OPEN
    assert [breaker.lets_through(10), breaker.lets_through(10.1)] == [True, False]


def test_the_one_that_comes_back_well_closes_it() -> None:
    breaker = failed(3)
    assert breaker.lets_through(10)
    breaker.succeeded()
    assert breaker.state(10) is BreakerState.CLOSED
    assert breaker.lets_through(10)


def test_the_one_that_fails_opens_it_for_another_pause() -> None:
    breaker = failed(3)
    assert breaker.lets_through(10)
    breaker.failed(11)
    assert breaker.state(20.9) is BreakerState.OPEN
    assert breaker.lets_through(21)


def test_one_that_never_comes_back_is_not_waited_for_for_ever() -> None:
    breaker = failed(3)
    assert breaker.lets_through(10)
    assert not breaker.lets_through(19.9)
    assert breaker.lets_through(20)
