"""The limit of calls at once: it grows where calls do not slow each other down, and shrinks where they do."""

from chassis.limit import AdaptiveLimit


def calls_at_once(limit: AdaptiveLimit, rounds: int, seconds_by_calls: float) -> None:
    """Rounds of as many calls as the limit allows, each of which takes longer the more there are."""
    for _ in range(rounds):
        ahead = []
        while not limit.is_reached:
            ahead.append(limit.begin())
        for one in ahead:
            limit.end("Book", 0.01 + seconds_by_calls * len(ahead), one)


def limit_that_knows_a_call_alone() -> AdaptiveLimit:
    limit = AdaptiveLimit(least=4, most=64)
    limit.end("Book", 0.01, limit.begin())
    return limit


def test_a_limit_grows_to_the_most_where_calls_do_not_slow_each_other_down():
    limit = limit_that_knows_a_call_alone()
    calls_at_once(limit, 100, seconds_by_calls=0)
    assert limit.limit == 64


def test_it_shrinks_to_the_least_where_calls_take_many_times_as_long():
    limit = limit_that_knows_a_call_alone()
    calls_at_once(limit, 100, seconds_by_calls=0.01)
    assert limit.limit == 4


def test_it_settles_where_calls_take_twice_as_long_as_alone():
    limit = limit_that_knows_a_call_alone()
    calls_at_once(limit, 1_000, seconds_by_calls=0.001)
    assert 8 <= limit.limit <= 16


def test_who_waits_for_others_is_not_counted_meanwhile():
    limit = AdaptiveLimit(least=1, most=1)
    limit.begin()
    assert limit.is_reached
    limit.step_out()
    assert not limit.is_reached
    limit.step_in()
    assert limit.is_reached
