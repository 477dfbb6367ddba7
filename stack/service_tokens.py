"""The tokens by which services speak for themselves: one file a service, renewed long before it runs out."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.context import Role
from stack.databases import SERVICES
from stack.issuer import Issuer, write_file

_TTL = timedelta(minutes=10)
_RENEWAL_SECONDS = 180.0


def service_token_file(data: Path, service: str) -> Path:
    """Where the token of a service is kept."""
    return data / "tokens" / f"service-{service}.token"


def write_service_tokens(issuer: Issuer, data: Path) -> None:
    """Writes a fresh token for every service; only their own account can read them."""
    for service in SERVICES:
        token = issuer.mint(Role.SERVICE, f"{service}_svc", now=datetime.now(UTC), ttl=_TTL)
        file = service_token_file(data, service)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(file, token.encode(), mode=0o600)


async def keep_service_tokens(issuer: Issuer, data: Path) -> None:
    """Renews them for ever."""
    while True:
        await asyncio.sleep(_RENEWAL_SECONDS)
        write_service_tokens(issuer, data)
