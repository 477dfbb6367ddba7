"""Reads the evidence, once, by plain SQL, when everything is quiet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from chassis.sql import Queries
from proof.evidence import Evidence, Row

_QUERIES = Queries(Path(__file__).with_name("evidence.sql"))
_WHERE: Mapping[str, Sequence[str]] = {
    "appointment": (
        "appointments",
        "events",
        "feed",
        "feed_head",
        "doctor_claims",
        "patient_claims",
        "answers",
        "attempts",
    ),
    "doctor": ("doctors", "doctor_copy", "doctor_cursor"),
    "video": ("video_copy", "video_cursor"),
}


def read_evidence(urls: Mapping[str, str], log: Path, chain: str = "") -> Evidence:
    """Everything that the checks ask for. `urls` are the databases by service; `chain` as Evidence has it."""
    found: dict[str, Sequence[Row]] = {}
    for service, names in _WHERE.items():
        with psycopg.connect(urls[service], autocommit=True, row_factory=dict_row) as connection:
            found |= {name: connection.execute(_QUERIES[name].text.encode()).fetchall() for name in names}
    return Evidence(
        appointments=found["appointments"],
        events=found["events"],
        feed=found["feed"],
        feed_head=found["feed_head"][0],
        doctor_claims=found["doctor_claims"],
        patient_claims=found["patient_claims"],
        answers=found["answers"],
        attempts=found["attempts"],
        doctors=found["doctors"],
        doctor_copy=found["doctor_copy"],
        doctor_cursor=found["doctor_cursor"][0]["cursor"],
        video_copy=found["video_copy"],
        video_cursor=found["video_cursor"][0]["cursor"],
        log=log.read_text(errors="replace"),
        chain=chain,
    )
