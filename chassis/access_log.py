"""The record of accesses on PostgreSQL: rows of concurrent calls share a statement and a commit."""

import asyncio
import logging
from contextvars import Context
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
from prometheus_client import Counter
from psycopg_pool import PoolTimeout

from chassis.accesses import Access
from chassis.chain_walk import Anchor
from chassis.clock import Clock
from chassis.db import Database, Session
from chassis.metrics import REGISTRY
from chassis.sql import Queries
from kernel.errors import Unavailable

QUERIES = Queries(Path(__file__).with_name("access_log.sql"))
logger = logging.getLogger(__name__)
_MOST_AT_ONCE = 500
_MOST_WAITING = 5_000
_PATIENCE_SECONDS = 5.0

_lost = Counter(
    "telemed_access_rows_lost",
    "Rows of calls without an answer (cancelled, past their deadline) that could not be kept.",
    registry=REGISTRY,
)


class PostgresAccessLog:
    """Implements accesses.AccessLog. While one batch of rows is being committed, the next one gathers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[bytes, asyncio.Future[None] | None]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, access: Access) -> None:
        """See the port."""
        durable = asyncio.get_running_loop().create_future()
        if not self._queue(access, durable):
            raise Unavailable("more accesses than can be recorded; try again")
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await durable
        except (TimeoutError, psycopg.Error, PoolTimeout):
            raise Unavailable("the access cannot be recorded, so nothing is told") from None

    def note(self, access: Access) -> None:
        """See the port."""
        if not self._queue(access, None):
            _lost.inc()

    async def write_in(self, session: Session, access: Access) -> datetime:
        """Keeps a row in a transaction of the caller's own, and tells its time.

        The transaction should end soon: others wait for the chain's head.
        """
        row = self._row(access)
        await session.one(QUERIES["record_accesses"], {"rows": orjson.dumps([row]).decode()})
        kept: datetime = row["access_time"]
        return kept

    async def note_head(self) -> None:
        """Logs where the record ends: an anchor for `telemed audit verify --expect`, outside of the database."""
        row = await self._database.one(QUERIES["access_head"])
        if row is not None:
            logger.info("access head", extra={"anchor": str(Anchor(row["number"], bytes(row["hash"])))})

    async def close(self) -> None:
        """Waits for the rows that are on their way, no longer than their callers did; what waits then is lost."""
        while (writing := self._writing) is not None:
            await asyncio.wait({writing}, timeout=_PATIENCE_SECONDS)
            if not writing.done():
                logger.warning("accesses not recorded", extra={"rows": len(self._waiting)})
                _lost.inc(sum(durable is None for _, durable in self._waiting))
                writing.cancel()
                await asyncio.wait({writing})

    def _queue(self, access: Access, durable: asyncio.Future[None] | None) -> bool:
        if len(self._waiting) >= _MOST_WAITING:
            return False
        self._waiting.append((orjson.dumps(self._row(access)), durable))
        if self._writing is None:
            # In a context of its own: neither the deadline nor the trace of the call that happens to be first.
            self._writing = asyncio.create_task(self._write_all(), context=Context())
        return True

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                await self._write(batch)
        finally:
            self._writing = None

    async def _write(self, batch: list[tuple[bytes, asyncio.Future[None] | None]]) -> None:
        failure: Exception | None = None
        try:
            rows = b"[" + b",".join(row for row, _ in batch) + b"]"
            await self._database.one(QUERIES["record_accesses"], {"rows": rows.decode()})
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            failure = error
            logger.warning("accesses not recorded", extra={"rows": len(batch), "error_type": type(error).__name__})
            _lost.inc(sum(durable is None for _, durable in batch))
        for _, durable in batch:
            if durable is None or durable.done():
                continue
            if failure is None:
                durable.set_result(None)
            else:
                durable.set_exception(failure)

    def _row(self, access: Access) -> dict[str, Any]:
        caller = access.caller
        return {
            "access_time": self._clock(),
            "method": access.method,
            "action": access.action,
            "actor_subject": caller.subject,
            "actor_role": caller.role,
            "acted_by": caller.delegate or None,
            "purpose": caller.purpose,
            # PostgreSQL's JSON holds no NUL.
            "reason": caller.purpose_reason.replace("\0", ""),
            "entity": access.entity,
            "entity_ids": access.entity_ids,
            "patient_ids": access.patient_ids,
            "query": access.query.replace("\0", "") or None,
            "outcome": access.outcome,
            "outcome_reason": access.outcome_reason or None,
            "traceparent": access.traceparent,
        }
