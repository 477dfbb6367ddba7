"""Erases what people wrote about a patient, and says so in the record of accesses, in one transaction."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.access_log import QUERIES, PostgresAccessLog
from chassis.accesses import note_access, note_kept, note_query, row_of_this_call
from chassis.db import Database, Session

Forget = Callable[[Session, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ErasePatientData:
    """The use case. `forget` erases what is the service's own; it raises PatientHasAppointments where it must not."""

    database: Database
    log: PostgresAccessLog
    forget: Forget

    async def __call__(self, patient_id: str, request_id: str) -> datetime:
        """When it was erased: at the first of the calls with this request_id. Raises PatientHasAppointments."""
        note_access(patient_id=patient_id)
        # The record is for ever, so it holds no text of a caller's.
        note_query(request=hashlib.sha256(request_id.encode()).hexdigest() if request_id else None)
        row = row_of_this_call()
        async with self.database.transaction() as session:
            if request_id:
                earlier = {"method": row.method, "query": row.query, "patient_id": patient_id}
                if (found := await session.one(QUERIES["find_erasure"], earlier)) is not None:
                    await session.secure()
                    return _instant(found["access_time"])
            await self.forget(session, patient_id)
            await session.execute(QUERIES["forget_access_reasons"], {"patient_id": patient_id})
            # Last: whoever else has a row to keep waits for the head of the chain.
            erased = await self.log.write_in(session, row)
        note_kept()
        return erased


def _instant(value: datetime) -> datetime:
    return value.astimezone(UTC)
