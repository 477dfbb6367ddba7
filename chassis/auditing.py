"""The layer that keeps a row of a call that touches patient data before its answer leaves; without a row, no answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from google.protobuf.message import Message

from chassis.accesses import NOBODY_WAITS, OK, AccessLog, Noted, Touch, noted_of_call
from chassis.ids import canonical_uuid
from chassis.layers import Call, Inside
from chassis.rpc_errors import failure_of
from kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Auditing:
    """The layer: no answer of a method in `touches` leaves before its row is kept. The others pay nothing."""

    touches: Mapping[str, Touch]
    log: AccessLog

    async def __call__(self, inside: Inside, call: Call) -> Any:
        """The layer."""
        touch = self.touches.get(call.method)
        if touch is None:
            return await inside(call)
        noted = Noted(call.method, touch, self.log)
        if call.request is not None:
            entity_id, patient_id = _named(call.request, touch.id_field), _named(call.request, touch.patient_field)
            if entity_id or patient_id:
                noted.touched[entity_id, patient_id] = None
        async with _Audited(noted):
            return await inside(call)


class _Audited:
    """One call under audit."""

    __slots__ = ("_noted", "_token")

    def __init__(self, noted: Noted) -> None:
        self._noted = noted

    async def __aenter__(self) -> None:
        self._token = noted_of_call.set(self._noted)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        noted_of_call.reset(self._token)
        if self._noted.is_kept:
            return
        outcome, reason = (OK, "") if error is None else _told_by(error)
        access = self._noted.access(outcome, reason)
        if access is None:
            return
        if outcome in NOBODY_WAITS or isinstance(error, asyncio.CancelledError):
            self._noted.log.note(access)
        else:
            await self._noted.log.write(access)


def _told_by(error: BaseException) -> tuple[str, str]:
    code = failure_of(error).code_name
    return code, error.reason if isinstance(error, Refusal) else code


def _named(request: Message, path: str) -> str | None:
    """The UUID in a field of a request; None where there is none."""
    if not path:
        return None
    value: object = request
    for name in path.split("."):
        value = getattr(value, name)
    return canonical_uuid(value) if isinstance(value, str) else None
