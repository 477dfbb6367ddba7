"""The token bucket against the plainest one there is: a number of tokens that is refilled as time goes by."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.bucket import Rate, take
from gateway.limits.local import LocalBuckets


@given(
    burst=st.integers(1, 20),
    per_second=st.sampled_from([0.5, 1.0, 2.0, 4.0]),
    # Eighths are exact in binary, so that neither side rounds.
    pauses=st.lists(st.integers(0, 80), max_size=60),
)
def test_it_allows_exactly_what_a_refilled_number_of_tokens_allows(burst: int, per_second: float, pauses: list[int]):
    rate, now, full_at = Rate(burst, per_second), 1_000.0, 0.0
    tokens = float(burst)
    for pause in pauses:
        now += pause / 8
        tokens = min(burst, tokens + pause / 8 * per_second)
        decision = take(rate, full_at, now)
        full_at = decision.full_at
        assert decision.allowed == (tokens >= 1)
        if decision.allowed:
            tokens -= 1
            assert decision.remaining == int(tokens)
        else:
            assert decision.retry_after == (1 - tokens) / per_second


def test_waiting_as_long_as_told_is_enough():
    rate = Rate(burst=3, per_second=7)
    full_at = now = 50.0
    for _ in range(3):
        full_at = take(rate, full_at, now).full_at
    refused = take(rate, full_at, now)
    assert not refused.allowed
    assert take(rate, full_at, now + refused.retry_after).allowed


async def test_each_key_has_a_bucket_of_its_own():
    buckets, rate = LocalBuckets(clock=lambda: 5.0), Rate(burst=1, per_second=1)
    assert (await buckets.take("a", rate)).allowed
    assert (await buckets.take("b", rate)).allowed
    assert not (await buckets.take("a", rate)).allowed
