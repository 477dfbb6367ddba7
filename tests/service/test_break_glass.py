"""Breaking the glass over gRPC and HTTP: who may, what can be read, what must be said, and who hears of it."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from gateway_harness import open_house
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1 import history_pb2, statistics_pb2
from telemed.video.v1 import quality_pb2
from telemed.video.v1 import video_service_pb2 as video

from chassis import break_glass
from chassis.context import Role
from chassis.metrics import broken_glass
from tests.fix_records import Records
from tests.fix_spans import Spans
from tests.fix_video import Booked, Visits
from tests.refusals import fields_of, reason_of, refusal

WHY = "Bewusstlos eingeliefert, 100 % unklar, wer sie behandelt"
METHOD = "telemed.appointment.v1.AppointmentService/GetAppointment"


def because(words: str = WHY) -> tuple[str, str]:
    return ("break-glass-reason", quote(words))


async def read(records: Records, rpc: str, request: Any, role: Role = Role.DOCTOR, *why: tuple[str, str]) -> Any:
    metadata = [*records.callers.metadata(role), *why]
    return await getattr(records.service, rpc)(request, metadata=metadata, timeout=20)


async def test_a_doctor_who_says_why_reads_what_is_not_theirs(records: Records):
    visit = await records.booked()
    get, events = pb.GetAppointmentRequest(id=visit.id), history_pb2.ListEventsRequest(id=visit.id)
    assert reason_of(await refusal(read(records, "GetAppointment", get))) == "APPOINTMENT_NOT_FOUND"
    assert (await read(records, "GetAppointment", get, Role.DOCTOR, because())).id == visit.id
    assert len((await read(records, "ListEvents", events, Role.DOCTOR, because())).events) == 1


async def test_a_list_through_the_glass_is_that_of_one_patient(records: Records):
    visit, other = await records.booked(), await records.booked()
    of_one = pb.ListAppointmentsRequest(patient_id=visit.patient_id)
    assert not (await read(records, "ListAppointments", of_one)).appointments
    (found,) = (await read(records, "ListAppointments", of_one, Role.DOCTOR, because())).appointments
    assert found.id == visit.id != other.id
    everybody = read(records, "ListAppointments", pb.ListAppointmentsRequest(), Role.DOCTOR, because())
    assert fields_of(await refusal(everybody)) == ["patient_id"]


async def test_sessions_are_read_through_the_glass_too(visits: Visits):
    visit = Booked()
    visits.feed.tell(visit)
    session_id = (await visits.start_as_doctor(visit)).session_id
    metadata = [*visits.callers.metadata(Role.DOCTOR), because()]

    async def ask(rpc: str, request: Any) -> Any:
        return await getattr(visits.stub, rpc)(request, metadata=metadata, timeout=20)

    assert (await ask("GetSession", video.GetSessionRequest(session_id=session_id))).session_id == session_id
    await ask("GetSessionStats", quality_pb2.GetSessionStatsRequest(session_id=session_id))
    (found,) = (await ask("ListSessions", video.ListSessionsRequest(patient_id=visit.patient_id))).sessions
    assert found.session_id == session_id
    assert fields_of(await refusal(ask("ListSessions", video.ListSessionsRequest()))) == ["patient_id"]
    watched = visits.stub.WatchSession(video.WatchSessionRequest(session_id=session_id), metadata=metadata, timeout=20)
    assert reason_of(await refusal(anext(aiter(watched)))) == "BREAK_GLASS_REFUSED"


@pytest.mark.parametrize("role", [Role.PATIENT, Role.SERVICE])
async def test_patients_and_services_cannot_break_it(records: Records, role: Role):
    visit = await records.booked()
    call = read(records, "GetAppointment", pb.GetAppointmentRequest(id=visit.id), role, because())
    assert reason_of(await refusal(call)) == "BREAK_GLASS_REFUSED"


@pytest.mark.parametrize("rpc", ["CancelAppointment", "CheckConflicts", "GetStats"])
async def test_nothing_is_changed_or_counted_through_it(records: Records, rpc: str):
    visit = await records.booked()
    requests: dict[str, Any] = {
        "CancelAppointment": pb.CancelAppointmentRequest(id=visit.id),
        "CheckConflicts": pb.CheckConflictsRequest(doctor_id=visit.doctor_id),
        "GetStats": statistics_pb2.GetStatsRequest(patient_id=visit.patient_id),
    }
    call = read(records, rpc, requests[rpc], Role.DOCTOR, because())
    assert reason_of(await refusal(call)) == "BREAK_GLASS_REFUSED"
    unchanged = await read(records, "GetAppointment", pb.GetAppointmentRequest(id=visit.id), Role.ADMIN)
    assert unchanged.etag == visit.etag


UNEXPLAINED = {
    "nothing": "",
    "too few words": "dying",
    "spaces": quote(" " * 20),
    "too many words": quote("x" * 501),
    "very many words": "x" * 6_000,
    "a line of its own": quote("a good reason\nlevel=INFO"),
    "a stray percent sign": "100 % sure that it cannot wait",
    "no UTF-8": "%ff%fe a reason in no encoding",
}


@pytest.mark.parametrize("words", UNEXPLAINED.values(), ids=UNEXPLAINED)
async def test_what_is_said_must_be_words(records: Records, words: str):
    visit = await records.booked()
    why = ("break-glass-reason", words)
    error = await refusal(read(records, "GetAppointment", pb.GetAppointmentRequest(id=visit.id), Role.DOCTOR, why))
    assert (reason_of(error), fields_of(error)) == ("BREAK_GLASS_UNEXPLAINED", ["Break-Glass-Reason"])


@pytest.mark.parametrize("words", ["x" * 10, "x" * 500, "ünï" * 100, "心停止、意識がない患者です。", "50% of + & = ?"])
def test_any_words_travel(words: str):
    assert break_glass.decoded(break_glass.encoded(words)) == words
    assert break_glass.decoded(quote(words)) == words


async def test_it_is_loud_and_the_words_are_nowhere(records: Records, spans: Spans, caplog: pytest.LogCaptureFixture):
    visit, before = await records.booked(), broken_glass.labels(METHOD)._value.get()
    with caplog.at_level(logging.DEBUG):
        await read(records, "GetAppointment", pb.GetAppointmentRequest(id=visit.id), Role.DOCTOR, because())
        await refusal(
            read(records, "GetAppointment", pb.GetAppointmentRequest(id=str(uuid4())), Role.DOCTOR, because())
        )
    alarms = [record for record in caplog.records if record.name == "chassis.break_glass"]
    assert [(one.levelname, vars(one)["rpc_method"]) for one in alarms] == [("WARNING", METHOD)] * 2
    assert broken_glass.labels(METHOD)._value.get() == before + 2
    said = " ".join([str(vars(record)) for record in caplog.records] + [span.to_json() for span in spans.all()])
    assert METHOD in said
    assert "Bewusstlos" not in said


async def test_the_gateway_passes_the_words_on(tmp_path: Path):
    async with open_house(tmp_path) as house, house.client() as client:
        house.servicer.answer = pb.ListAppointmentsResponse()
        client.headers["authorization"] = f"Bearer {house.issuer.token(role='doctor')}"
        answer = await client.get("/appointments", headers={"Break-Glass-Reason": quote(WHY)})
        assert answer.status_code == 200
        assert break_glass.decoded(house.servicer.metadata[0]["break-glass-reason"]) == WHY


async def test_without_words_none_are_passed_on(tmp_path: Path):
    async with open_house(tmp_path) as house, house.client() as client:
        house.servicer.answer = pb.ListAppointmentsResponse()
        await client.get("/appointments")
        assert "break-glass-reason" not in house.servicer.metadata[0]


@pytest.mark.parametrize(("words", "status"), [("dying", 400), (quote(WHY), 403)])
async def test_refusals_at_the_edge_have_their_reason(tmp_path: Path, words: str, status: int):
    async with open_house(tmp_path) as house, house.client() as client:
        house.servicer.answer = pb.ListAppointmentsResponse()
        answer = await client.get("/appointments", headers={"Break-Glass-Reason": words})
    reasons = {400: "BREAK_GLASS_UNEXPLAINED", 403: "BREAK_GLASS_REFUSED"}
    assert (answer.status_code, answer.json()["reason"]) == (status, reasons[status])
    assert "dying" not in answer.text
