"""Buckets that all replicas share, in Redis; when it is away, each replica counts for itself."""

from chassis.optional_redis import OptionalRedis
from gateway.limits.bucket import Decision, Rate
from gateway.limits.local import LocalBuckets

_WAIT_SECONDS = 0.1
# The same arithmetic as `bucket.take`, by the clock of the one Redis, so that replicas need not agree on the time.
_TAKE = """
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1e6
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local start = math.max(full_at, now)
local tokens = burst - (start - now) / interval
if tokens < 1 - 1e-9 then
    return {0, 0, tostring((1 - tokens) * interval)}
end
local filled = start + interval
redis.call('SET', KEYS[1], string.format('%.6f', filled), 'PX', math.ceil((filled - now) * 1000) + 1000)
return {1, math.max(0, math.floor(tokens - 1 + 1e-9)), '0'}
"""


class SharedBuckets:
    """Implements limits.guard.Buckets on Redis. Counting is never a reason to fail a request."""

    def __init__(self, url: str, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._redis = OptionalRedis(url, wait_seconds=wait_seconds)
        self._take = self._redis.redis.register_script(_TAKE)
        self._local = LocalBuckets()

    async def take(self, key: str, rate: Rate) -> Decision:
        """See the port."""
        answer = await self._redis.ask(
            lambda: self._take(keys=[f"telemed:rate:{key}"], args=[rate.interval, rate.burst])
        )
        if answer is None:
            return self._local.take_now(key, rate)
        allowed, remaining, retry_after = answer
        return Decision(allowed=bool(allowed), remaining=int(remaining), retry_after=float(retry_after), full_at=0.0)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.close()
