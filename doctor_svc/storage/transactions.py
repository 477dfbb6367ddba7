"""Changes in one transaction each, with the saved answer by which a repeat is told from a second wish."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from psycopg.errors import UniqueViolation

from chassis.db import Database, Session
from chassis.metrics import replays
from doctor_svc.app.ports import RequestKey, Unit
from doctor_svc.domain.doctor import Doctor, PrivateDetails
from doctor_svc.domain.errors import EmailTaken
from doctor_svc.storage.hours import HoursUnit
from doctor_svc.storage.profiles import doctor_of, doctor_row, private_of
from doctor_svc.storage.sql import PROFILES, QUERIES
from kernel.errors import IdempotencyKeyReused


class StoredUnit(HoursUnit):
    """app.ports.Unit."""

    async def add_doctor(self, doctor: Doctor, private: PrivateDetails) -> None:
        """Adds a doctor. Raises EmailTaken."""
        if not await self._session.execute(PROFILES["insert_doctor"], doctor_row(doctor, private)):
            raise EmailTaken

    async def take_doctor(self, doctor_id: str) -> tuple[Doctor, PrivateDetails] | None:
        """The doctor with what is never shown, locked until the end, or None."""
        row = await self._session.one(PROFILES["take_doctor"], {"doctor_id": doctor_id})
        return (doctor_of(row), private_of(row)) if row else None

    async def put_doctor(self, doctor: Doctor, private: PrivateDetails) -> None:
        """Stores a doctor that was taken. Raises EmailTaken."""
        try:
            await self._session.execute(PROFILES["put_doctor"], doctor_row(doctor, private))
        except UniqueViolation:
            raise EmailTaken from None

    async def set_verified(self, doctor_id: str, now: datetime, *, is_verified: bool) -> Doctor | None:
        """Stores the verdict and answers the doctor after it, or None."""
        params = {"doctor_id": doctor_id, "is_verified": is_verified, "now": now}
        row = await self._session.one(PROFILES["set_verified"], params)
        return doctor_of(row) if row else None


class StoredTransactions:
    """app.ports.Transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def once(self, key: RequestKey | None, now: datetime, work: Callable[[Unit], Awaitable[bytes]]) -> bytes:
        """Does the work and answers its result, or what was saved when it was done before."""
        async with self._database.transaction() as session:
            if key is None:
                return await work(StoredUnit(session))
            # A twin's insert waits here until the first has committed (it then finds the answer) or was undone.
            if not await session.execute(QUERIES["claim_request"], _columns(key) | {"now": now}):
                return await _saved_answer(session, key)
            answer = await work(StoredUnit(session))
            await session.execute(QUERIES["save_answer"], _columns(key) | {"answer": answer})
            return answer


async def _saved_answer(session: Session, key: RequestKey) -> bytes:
    row = await session.one(QUERIES["get_answer"], _columns(key))
    if row is None or row["answer"] is None:
        raise LookupError("a claimed request has no answer")
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReused("this request_id was used before, for another request")
    answer: bytes = row["answer"]
    await session.secure()
    replays.labels(key.method).inc()
    return answer


def _columns(key: RequestKey) -> dict[str, object]:
    return {
        "caller": key.caller,
        "method": key.method,
        "request_id": key.request_id,
        "fingerprint": key.fingerprint,
    }
