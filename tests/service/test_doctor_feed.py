"""The doctor service and the feed that it copies: restarts, breaks, who it says it is, and the trace of a change."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.type.date_pb2 import Date
from telemed.doctor.v1 import doctor_service_pb2 as pb

from chassis.context import Role
from chassis.progress import Progress
from chassis.sql import Query
from doctor_svc.app.apply_changes import ApplyChanges
from doctor_svc.domain.visits import VisitChange
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.fix_spans import Spans

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HELD_VISITS = Query("held_visits", "SELECT appointment_id::text, version, status FROM visit ORDER BY appointment_id")


async def until(is_true: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110 - what is waited for comes from elsewhere and fires nothing
            await asyncio.sleep(0.01)


async def free_slots(clinic: DoctorClinic, doctor_id: str, revision: str) -> list[str]:
    request = pb.GetAvailabilityRequest(
        doctor_id=doctor_id, date=Date(year=2026, month=3, day=2), at_least_revision=revision
    )
    answer = await clinic.service.GetAvailability(request, metadata=clinic.as_(Role.PATIENT), timeout=10)
    return [f"{slot.start_time.ToDatetime(UTC):%H:%M}" for slot in answer.morning_slots]


async def test_a_restarted_service_goes_on_where_it_stopped_and_misses_nothing(doctor_clinic: DoctorClinic) -> None:
    clinic, doctor = doctor_clinic, a_doctor()
    await seed(clinic.database, [doctor], [a_rule(doctor, 1)])
    async with clinic.opened():
        revision = clinic.feed.write(change_of(a_visit(doctor.doctor_id, NINE)))
        assert await free_slots(clinic, doctor.doctor_id, revision) == ["09:40", "10:20", "11:00"]
    revision = clinic.feed.write(change_of(a_visit(doctor.doctor_id, NINE + timedelta(minutes=40))))
    async with clinic.opened():
        assert await free_slots(clinic, doctor.doctor_id, revision) == ["10:20", "11:00"]
    assert clinic.feed.asked == ["", "1"]


async def test_a_service_that_starts_late_reads_the_whole_feed(doctor_clinic: DoctorClinic) -> None:
    clinic, doctor = doctor_clinic, a_doctor()
    visits = [a_visit(doctor.doctor_id, NINE + timedelta(days=number)) for number in range(1200)]
    revision = clinic.feed.write(*map(change_of, visits))
    async with clinic.opened():
        await seed(clinic.database, [doctor], [a_rule(doctor, 1)])
        await free_slots(clinic, doctor.doctor_id, revision)
    held = await clinic.database.all(HELD_VISITS)
    assert [row["appointment_id"] for row in held] == sorted(visit.appointment_id for visit in visits)


async def test_a_change_that_comes_again_after_a_break_changes_nothing(doctor_clinic: DoctorClinic) -> None:
    clinic, doctor = doctor_clinic, a_doctor()
    await seed(clinic.database, [doctor], [a_rule(doctor, 1)])
    visit = a_visit(doctor.doctor_id, NINE, version=2, status=AppointmentStatus.CANCELLED)
    older = a_visit(doctor.doctor_id, NINE, appointment_id=visit.appointment_id)
    clinic.feed.write(change_of(older))
    clinic.feed.write(change_of(visit))
    revision = clinic.feed.write(change_of(older))
    async with clinic.opened():
        assert len(await free_slots(clinic, doctor.doctor_id, revision)) == 4
    assert await clinic.database.all(HELD_VISITS) == [
        {"appointment_id": visit.appointment_id, "version": 2, "status": "CANCELLED"}
    ]


async def test_the_service_follows_as_itself(doctors: DoctorClinic) -> None:
    assert doctors.shared.service_token_file is not None
    await until(lambda: doctors.feed.callers)
    assert doctors.feed.callers == [f"Bearer {doctors.shared.service_token_file.read_text()}"]


async def test_availability_is_answered_while_the_feed_is_away(doctor_clinic: DoctorClinic) -> None:
    doctor_clinic.feed.target = "127.0.0.1:1"
    doctor = a_doctor()
    await seed(doctor_clinic.database, [doctor], [a_rule(doctor, 1)])
    async with doctor_clinic.opened():
        assert len(await free_slots(doctor_clinic, doctor.doctor_id, "")) == 4


async def test_the_applying_of_a_change_is_linked_to_the_call_that_made_it(doctors: DoctorClinic, spans: Spans) -> None:
    doctors.feed.write(change_of(a_visit(a_doctor().doctor_id, NINE), traceparent=TRACEPARENT))
    await until(lambda: spans.named("apply changes"))
    (applying,) = spans.named("apply changes")
    assert [f"{link.context.trace_id:032x}" for link in applying.links] == [TRACEPARENT.split("-")[1]]
    statements = [span.name for span in spans.all() if span.parent and span.parent.span_id == applying.context.span_id]
    assert statements == ["keep_visits"]


async def test_the_lag_is_what_is_known_to_be_missing(doctors: DoctorClinic) -> None:
    progress = Progress()
    apply = ApplyChanges(StoredVisits(doctors.database), progress)
    assert await apply.cursor() == ""
    progress.head = 5
    assert progress.lag == 5
    await apply([VisitChange(number, a_visit(a_doctor().doctor_id, NINE)) for number in (2, 3)])
    assert (progress.lag, await apply.cursor()) == (2, "3")
