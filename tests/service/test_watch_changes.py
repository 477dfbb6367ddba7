"""WatchChanges over gRPC: filters, batches, resuming, whose; and readers that stop reading."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from appointment_svc.app.ports import FeedPage, FeedReader
from appointment_svc.domain.appointment import Appointment
from appointment_svc.storage.feed import PostgresFeed
from chassis.context import Role
from tests.fix_records import Records
from tests.refusals import fields_of, reason_of, refusal

BOOKED, CANCELLED = appointment_pb2.CHANGE_KIND_BOOKED, appointment_pb2.CHANGE_KIND_CANCELLED
COPY_FIRST_EVENT = """
    WITH written AS (
        INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role,
                           reason, after, traceparent)
        SELECT gen_random_uuid(), 1, kind, event_time, patient_id, doctor_id, '', 'admin', '', after, ''
        FROM (SELECT * FROM event ORDER BY event_id LIMIT 1) e, generate_series(1, %s) RETURNING event_id
    ) INSERT INTO event_pending SELECT event_id FROM written"""


def watch(records: Records, role: Role = Role.SERVICE, subject: str | None = None, **wanted: Any) -> Any:
    return records.service.WatchChanges(
        pb.WatchChangesRequest(**wanted), metadata=records.callers.metadata(role, subject)
    )


async def messages(stream: AsyncIterator[pb.WatchChangesResponse], count: int) -> list[pb.WatchChangesResponse]:
    """The messages up to the one with which there are so many changes."""
    seen: list[pb.WatchChangesResponse] = []
    async with asyncio.timeout(60):
        async for message in stream:
            seen.append(message)
            if sum(len(m.changes) + m.HasField("change") for m in seen) >= count:
                return seen
    raise AssertionError("the stream ended")


async def cancel(records: Records, visit: Appointment) -> None:
    await records.call("CancelAppointment", pb.CancelAppointmentRequest(id=visit.id))


async def grow(records: Records, count: int) -> None:
    """So many more changes, numbered."""
    async with await psycopg.AsyncConnection.connect(records.url, autocommit=True) as connection:
        await connection.execute(COPY_FIRST_EVENT, (count,))
    told = await messages(watch(records, after_revision="1", max_changes_per_message=500), count)
    assert told[-1].resume_revision == told[-1].head_revision


async def test_filters_choose_by_patient_doctor_and_kind(records: Records):
    mine, theirs = await records.booked(), await records.booked()
    await cancel(records, mine)
    await cancel(records, theirs)
    for wanted, expected in (
        ({"patient_id": mine.patient_id}, [(mine.id, BOOKED), (mine.id, CANCELLED)]),
        ({"doctor_id": theirs.doctor_id}, [(theirs.id, BOOKED), (theirs.id, CANCELLED)]),
        ({"kinds": [CANCELLED]}, [(mine.id, CANCELLED), (theirs.id, CANCELLED)]),
        ({"kinds": [CANCELLED], "doctor_id": mine.doctor_id}, [(mine.id, CANCELLED)]),
        ({"kinds": [CANCELLED, BOOKED], "patient_id": mine.patient_id, "doctor_id": mine.doctor_id},
         [(mine.id, BOOKED), (mine.id, CANCELLED)]),
    ):  # fmt: skip
        told = await messages(watch(records, **wanted), len(expected))
        assert [(m.change.appointment.id, m.change.kind) for m in told if m.HasField("change")] == expected


async def test_a_message_brings_as_many_changes_as_were_asked_for(records: Records):
    await records.booked()
    await grow(records, 1234)
    told = [m for m in await messages(watch(records, max_changes_per_message=100), 1235) if m.changes]
    assert [change.revision for m in told for change in m.changes] == [str(n) for n in range(1, 1236)]
    assert max(len(m.changes) for m in told) == 100
    assert all(m.resume_revision == m.changes[-1].revision for m in told)
    assert not any(m.HasField("change") for m in told)
    one_each = await messages(watch(records), 1235)
    assert [m.change for m in one_each if m.HasField("change")] == [change for m in told for change in m.changes]


async def test_whoever_resumes_goes_on_behind_what_the_filters_held_back(records: Records):
    first = await records.booked()
    for _ in range(3):
        await records.booked()
    told = await messages(watch(records, patient_id=first.patient_id), 1)
    assert (told[-1].change.revision, told[-1].resume_revision) == ("1", told[-1].head_revision)
    assert told[0].resume_revision == "0"
    await cancel(records, first)
    again = await messages(watch(records, patient_id=first.patient_id, after_revision=told[-1].resume_revision), 1)
    assert again[0].resume_revision == told[-1].resume_revision
    assert again[-1].change.kind == CANCELLED


async def test_patients_and_doctors_watch_their_own_changes_alone(records: Records):
    mine, theirs = await records.booked(), await records.booked()
    for role, own in ((Role.PATIENT, mine.patient_id), (Role.DOCTOR, mine.doctor_id)):
        told = await messages(watch(records, role, own), 1)
        assert [m.change.appointment.id for m in told if m.HasField("change")] == [mine.id]
    for role, own, wanted in (
        (Role.PATIENT, mine.patient_id, {"patient_id": theirs.patient_id}),
        (Role.DOCTOR, mine.doctor_id, {"doctor_id": theirs.doctor_id}),
    ):
        error = await refusal(messages(watch(records, role, own, **wanted), 1))
        assert reason_of(error) == "PERMISSION_DENIED"
    told = await messages(watch(records, Role.DOCTOR, mine.doctor_id, patient_id=mine.patient_id), 1)
    assert told[-1].change.appointment.id == mine.id


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"patient_id": "x"}, "patient_id"),
        ({"doctor_id": "x"}, "doctor_id"),
        ({"kinds": [0]}, "kinds"),
        ({"kinds": [99]}, "kinds"),
        ({"max_changes_per_message": -1}, "max_changes_per_message"),
        ({"max_changes_per_message": 501}, "max_changes_per_message"),
        ({"after_revision": "yesterday"}, "after_revision"),
        ({"after_revision": f"{uuid4()}:7"}, "after_revision"),
    ],
)
async def test_a_bad_field_is_named(records: Records, wanted: dict[str, Any], field: str):
    assert fields_of(await refusal(messages(watch(records, **wanted), 1))) == [field]


async def test_a_reader_that_stops_reading_is_not_read_ahead_for_and_holds_nobody_up(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    read_for_it, read = 0, PostgresFeed.read

    async def counted(self: PostgresFeed, reader: FeedReader, after: int, limit: int) -> FeedPage:
        nonlocal read_for_it
        page = await read(self, reader, after, limit)
        read_for_it += len(page.changes) if reader.kinds else 0
        return page

    monkeypatch.setattr(PostgresFeed, "read", counted)
    await records.booked()
    await grow(records, 5_000)
    # A window of fixed size: gRPC would let a fast network run some megabytes ahead of its reader.
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 * 1024)]
    async with grpc.aio.insecure_channel(records.target, options=options) as channel:
        metadata = records.callers.metadata(Role.SERVICE)
        request = pb.WatchChangesRequest(kinds=[BOOKED, CANCELLED])
        stalled = AppointmentServiceStub(channel).WatchChanges(request, metadata=metadata)
        await messages(stalled, 1)
        reader = asyncio.create_task(messages(watch(records, after_revision="5001"), 20))
        for _ in range(20):
            await records.booked()
        assert len([m for m in await reader if m.HasField("change")]) == 20, "others go on"
        before = -1
        while before != read_for_it:
            before = read_for_it
            await asyncio.sleep(0.5)
        assert before <= 2_000, "what the network does not take is not even read"
        rest = await messages(stalled, 5_020)
        assert rest[-1].change.revision == "5021", "and it has missed nothing"


async def test_a_reader_that_goes_away_in_the_middle_is_no_error(records: Records, caplog: pytest.LogCaptureFixture):
    await records.booked()
    await grow(records, 5_000)
    for _ in range(5):
        stream = watch(records)
        await messages(stream, 1)
        await asyncio.sleep(0.1)
        stream.cancel()
    await asyncio.sleep(0.3)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
