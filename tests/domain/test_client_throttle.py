"""When the client keeps a call to itself: with a clock of its own and a service of arithmetic."""

import random

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_client import TelemedError
from telemed_client.throttle import Throttle

BUSY = TelemedError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls at once")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Chance:
    """Answers what a test wants to happen: the lower, the more is kept back."""

    def __init__(self) -> None:
        self.next = 0.0

    def __call__(self) -> float:
        return self.next


@pytest.fixture
def chance() -> Chance:
    return Chance()


@pytest.fixture
def throttle(clock: Clock, chance: Chance) -> Throttle:
    return Throttle(clock, chance)


def is_sent(throttle: Throttle) -> bool:
    try:
        throttle.check()
    except TelemedError:
        return False
    return True


def told(throttle: Throttle, *errors: TelemedError | None) -> None:
    for error in errors:
        throttle.note(error)


def test_a_crowd_that_comes_at_once_is_sent_whole(throttle: Throttle):
    assert all(is_sent(throttle) for _ in range(200))


def test_nothing_is_kept_back_until_more_are_refused_than_taken(throttle: Throttle):
    told(throttle, *[None] * 5, *[BUSY] * 5)
    assert is_sent(throttle)
    told(throttle, BUSY)
    assert not is_sent(throttle)


def test_how_many_are_kept_back_is_the_share_of_the_source(throttle: Throttle, chance: Chance):
    told(throttle, *[None] * 2, *[BUSY] * 7)  # of nine, twice two are in order: (9 - 4) / (9 + 1)
    chance.next = 0.5
    assert is_sent(throttle)
    chance.next = 0.499
    assert not is_sent(throttle)
    chance.next = 0.5  # what was kept back was asked for, too: (10 - 4) / (10 + 1)
    assert not is_sent(throttle)


def test_what_happened_a_second_ago_is_forgotten(throttle: Throttle, clock: Clock):
    told(throttle, *[BUSY] * 1000)
    clock.now += 0.9
    assert not is_sent(throttle)
    clock.now += 1.01
    assert is_sent(throttle)


def test_a_call_that_is_kept_back_is_refused_as_the_service_would(throttle: Throttle):
    told(throttle, BUSY)
    with pytest.raises(TelemedError, match="not sent") as refused:
        throttle.check()
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert refused.value.retry_after == 0.5
    assert refused.value.is_overload


def test_a_refusal_for_another_reason_is_an_answer(throttle: Throttle):
    told(throttle, *[TelemedError(grpc.StatusCode.ABORTED, "the slot is taken")] * 3, *[BUSY] * 3)
    assert is_sent(throttle)
    told(throttle, BUSY)
    assert not is_sent(throttle)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_a_call_that_was_lost_on_the_way_tells_nothing(throttle: Throttle, code: grpc.StatusCode):
    told(throttle, *[TelemedError(code, "lost")] * 50)
    assert is_sent(throttle)


def test_calls_that_grpc_ends_before_a_service_has_read_them_are_refused_too(throttle: Throttle):
    told(throttle, TelemedError(grpc.StatusCode.CANCELLED, ""))
    assert not is_sent(throttle)


@settings(max_examples=20)
@given(capacity=st.integers(20, 100), times=st.integers(2, 20), seed=st.integers(0, 1_000_000))
def test_of_many_times_too_many_calls_a_service_sees_some_twice_what_it_does(capacity: int, times: int, seed: int):
    clock, seconds, crowd = Clock(), 5, 8
    throttle = Throttle(clock, random.Random(seed).random)  # noqa: S311 - a repeatable chance
    sent = taken = 0
    room = float(crowd)
    for _ in range(capacity * times * seconds):
        clock.now += 1 / (capacity * times)
        room = min(float(crowd), room + 1 / times)
        if is_sent(throttle):
            sent += 1
            taken += room >= 1
            throttle.note(None if room >= 1 else BUSY)
            room -= room >= 1
    assert sent <= 3 * taken
    # And it has all the time as much to do as it can.
    assert taken >= 0.95 * capacity * seconds
