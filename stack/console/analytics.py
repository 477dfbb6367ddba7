"""The clinic's own numbers for the charts: booking analytics, asked as the demo's administrator."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from chassis.context import Role
from stack.console.http import HttpError
from stack.issuer import Issuer
from stack.state import State

_SECONDS = 10.0
_TTL = timedelta(minutes=1)
_CONSOLE = str(UUID(int=0))
# What the console asks for itself is in no trace of its own: a page that is open would fill the store.
_UNRECORDED = {"traceparent": "00-" + "0" * 31 + "1-" + "0" * 15 + "1-00"}


async def booking_analytics(data: Path) -> Any:
    """What GetBookingAnalytics answers now, as JSON. Raises HttpError when the clinic cannot tell."""
    state = State.read(data)
    if state is None:
        raise HttpError(503, "no stack runs on this data folder")
    token = Issuer.of(data).mint(Role.ADMIN, _CONSOLE, now=datetime.now(UTC), ttl=_TTL)
    try:
        async with httpx.AsyncClient(base_url=state.url, timeout=_SECONDS) as http:
            headers = {"authorization": f"Bearer {token}", **_UNRECORDED}
            answer = await http.get("/appointments/analytics", headers=headers)
    except httpx.HTTPError as error:
        raise HttpError(502, "the gateway does not answer") from error
    if answer.status_code != HTTPStatus.OK:
        raise HttpError(502, f"the gateway answered {answer.status_code}")
    return answer.json()
