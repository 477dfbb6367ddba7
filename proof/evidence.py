"""The evidence: what the three databases held when everything was quiet, as rows that the checks read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows as the queries of evidence.sql name them.

    `events` come in the order of the feed; `log` is PostgreSQL's own; `chain` is what the system's audit of its hash
    chain had to object to, empty when nothing.
    """

    appointments: Sequence[Row]
    events: Sequence[Row]
    feed: Sequence[Row]
    feed_head: Row
    doctor_claims: Sequence[Row]
    patient_claims: Sequence[Row]
    answers: Sequence[Row]
    attempts: Sequence[Row]
    doctors: Sequence[Row]
    doctor_copy: Sequence[Row]
    doctor_cursor: int
    video_copy: Sequence[Row]
    video_cursor: int
    log: str = ""
    chain: str = ""
