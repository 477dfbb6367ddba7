"""Filters of appointments as conditions: only those that are set, so that each can have its index."""

from collections.abc import Sequence

from appointment_svc.app.ports import ListFilter
from chassis.sql import Query

_CONDITIONS = {
    "patient_id": "patient_id = %(patient_id)s::uuid",
    "doctor_id": "doctor_id = %(doctor_id)s::uuid",
    "status": "status = %(status)s::appointment_status",
    "kind": "kind = %(kind)s::appointment_kind",
    "since": "start_time >= %(since)s::timestamptz",
    "until": "start_time < %(until)s::timestamptz",
}


def conditions_of(wanted: ListFilter) -> tuple[list[str], dict[str, object]]:
    """The conditions of a filter, and the values that they name."""
    values = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    return [_CONDITIONS[name] for name in values], values


def where(query: Query, conditions: Sequence[str]) -> Query:
    """The query with conditions in the place that it keeps for them."""
    return Query(query.name, query.text.replace("{conditions}", " AND ".join(conditions) or "true"))
