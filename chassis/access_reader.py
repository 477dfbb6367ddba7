"""Reads the record of accesses: who touched a patient's data, and who broke the glass."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from chassis.access_log import QUERIES
from chassis.accesses import Action
from chassis.context import PurposeOfUse
from chassis.db import Database
from chassis.sql import Query

_BEFORE_ALL = 2**63 - 1
_PAGE = 500


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which accesses: of one patient's data (None: of anybody's), and whether only those that broke the glass."""

    patient_id: str | None = None
    behind_glass: bool = False


@dataclass(frozen=True, slots=True)
class KeptAccess:
    """A row of the record; `number` is its place. `entity_ids` and `patient_ids` go together place by place."""

    number: int
    time: datetime
    method: str
    action: Action
    actor_subject: str
    actor_role: str
    acted_by: str
    purpose: PurposeOfUse
    reason: str
    entity: str
    entity_ids: tuple[str | None, ...]
    patient_ids: tuple[str | None, ...]
    outcome: str
    outcome_reason: str
    traceparent: str

    @property
    def is_behind_glass(self) -> bool:
        """Whether somebody looked who may not do so otherwise."""
        return self.purpose is PurposeOfUse.BTG

    def as_of(self, patient_id: str) -> "KeptAccess":
        """What of the row is about one patient: a list may have shown many."""
        of_them = [pair for pair in zip(self.entity_ids, self.patient_ids, strict=True) if pair[1] == patient_id]
        return replace(
            self, entity_ids=tuple(pair[0] for pair in of_them), patient_ids=tuple(pair[1] for pair in of_them)
        )


async def read_accesses(database: Database, wanted: AccessFilter, before: int | None, limit: int) -> list[KeptAccess]:
    """Rows with lower numbers than `before`, the latest first, at most `limit`."""
    conditions = ["true"]
    if wanted.patient_id is not None:
        conditions.append("patient_ids @> ARRAY[%(patient_id)s::uuid]")
    if wanted.behind_glass:
        conditions.append("purpose = 'BTG'")
    text = QUERIES["list_accesses"].text.replace("{conditions}", " AND ".join(conditions))
    values = {"patient_id": wanted.patient_id, "before": _BEFORE_ALL if before is None else before, "limit": limit}
    rows = await database.all(Query("list_accesses", text), values)
    found = map(_access_of, rows)
    return [one.as_of(wanted.patient_id) for one in found] if wanted.patient_id is not None else list(found)


async def all_accesses(url: str, wanted: AccessFilter, most: int) -> AsyncGenerator[KeptAccess, None]:
    """Every such row of a database, the latest first, at most so many; by a connection of its own."""
    database = Database(url, size=1)
    await database.open()
    try:
        before, left = None, most
        while page := await read_accesses(database, wanted, before, min(left, _PAGE)):
            for access in page:
                yield access
            before, left = page[-1].number, left - len(page)
    finally:
        await database.close()


def _access_of(row: dict[str, Any]) -> KeptAccess:
    return KeptAccess(
        number=row["number"],
        time=row["access_time"].astimezone(UTC),
        method=row["method"],
        action=Action(row["action"]),
        actor_subject=row["actor_subject"],
        actor_role=row["actor_role"],
        acted_by=row["acted_by"] or "",
        purpose=PurposeOfUse(row["purpose"]),
        reason=row["reason"],
        entity=row["entity"],
        entity_ids=tuple(row["entity_ids"]),
        patient_ids=tuple(row["patient_ids"]),
        outcome=row["outcome"],
        outcome_reason=row["outcome_reason"] or "",
        traceparent=row["traceparent"],
    )
