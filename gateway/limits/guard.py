"""Asks the buckets of the address and of the user before a request is served, and tells the caller how it stands."""

import ipaddress
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from gateway.http import Request, too_many_requests
from gateway.limits.bucket import Decision, Rate
from gateway.numbers import limited


class Buckets(Protocol):
    """Where tokens are counted."""

    async def take(self, key: str, rate: Rate) -> Decision:
        """Takes a token of a key's bucket, if there is one. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class RateGuard:
    """Limits of requests. A rate of None means that nobody counts; `proxies` stand before this process."""

    buckets: Buckets
    per_address: Rate | None
    per_user: Rate | None
    proxies: int = 0

    async def check_address(self, request: Request) -> None:
        """Takes a token of the caller's address. Raises HttpRefusal (429)."""
        if self.per_address is not None:
            decision = await self.buckets.take(f"address:{network_of(self._address(request))}", self.per_address)
            if not decision.allowed:
                raise _refusal("address", self.per_address, decision)

    async def check_user(self, subject: str) -> dict[str, str]:
        """Takes a token of the user and answers the headers that say how many are left. Raises HttpRefusal (429)."""
        if self.per_user is None:
            return {}
        decision = await self.buckets.take(f"user:{subject}", self.per_user)
        if not decision.allowed:
            raise _refusal("user", self.per_user, decision)
        return _headers("user", self.per_user, decision)

    def _address(self, request: Request) -> str:
        """The address of the client: the last one that was written down by a proxy of our own."""
        passed = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if self.proxies and len(passed) >= self.proxies:
            return passed[-self.proxies]
        return request.client


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that one subscriber has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - the protocol's own number
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _refusal(whose: str, rate: Rate, decision: Decision) -> Exception:
    limited.labels(whose).inc()
    wait = max(1, math.ceil(decision.retry_after))
    detail = f"too many requests from this {whose}; the next one is good in {wait} s"
    return too_many_requests(detail, {**_headers(whose, rate, decision), "retry-after": str(wait)})


def _headers(whose: str, rate: Rate, decision: Decision) -> dict[str, str]:
    """RateLimit fields as the IETF's HTTPAPI working group drafts them: the policy, and how this caller stands."""
    reset = math.ceil(decision.retry_after)
    return {
        "ratelimit-policy": f'"{whose}";q={rate.burst};w={rate.window}',
        "ratelimit": f'"{whose}";r={decision.remaining};t={reset}',
    }
