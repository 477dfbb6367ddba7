"""All that the appointment service keeps of one patient: who touched it, the export, and an erasure."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import patient_data_pb2

from appointment_svc.storage.audit import auditing
from chassis import break_glass
from chassis.access_audit import auditing_accesses
from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_accesses import AccessRecord
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import Practice, offered
from tests.refusals import detail, fields_of, reason_of, refusal

PATIENT, OTHER, GUARDIAN = (str(uuid4()) for _ in range(3))
NOTES, REASON, COMMENT, GLASS = "marker-of-notes", "marker-of-reason", "marker-of-comment", "marker-of-the-glass"
WORDS = (NOTES, REASON, COMMENT, GLASS)


@pytest.fixture
def record(appointment_db_url: str) -> AccessRecord:
    return AccessRecord("appointment", appointment_db_url)


async def call(
    practice: Practice, rpc: str, request: Any, role: Role = Role.ADMIN, subject: str | None = None, **more: str
) -> Any:
    metadata = [*practice.callers.metadata(role, subject), *more.items()]
    return await getattr(practice.appointments, rpc)(request, metadata=metadata, timeout=60)


@pytest.fixture
async def doctor_id(practice: Practice) -> str:
    """A patient with a past: a visit called off, one over and rated, an emergency, all with words; another patient."""
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    first = (await practice.book(match, patient_id=PATIENT, patient_notes=NOTES, request_id="first")).appointment
    await call(practice, "CancelAppointment", pb.CancelAppointmentRequest(id=first.id, reason=REASON, request_id="off"))
    second = (await practice.book(match, patient_id=PATIENT, patient_notes=NOTES)).appointment
    practice.now[0] = TEN
    await call(practice, "StartAppointment", pb.StartAppointmentRequest(id=second.id))
    await call(practice, "CompleteAppointment", pb.CompleteAppointmentRequest(id=second.id))
    rate = pb.RateVisitRequest(id=second.id, rating=2, comment=COMMENT, request_id="rated")
    await call(practice, "RateVisit", rate, Role.PATIENT, PATIENT)
    glass = {break_glass.METADATA: GLASS}
    await call(practice, "GetAppointment", pb.GetAppointmentRequest(id=second.id), Role.DOCTOR, **glass)
    practice.now[0] = NOW
    later = TEN + timedelta(days=1)
    match.exact_slot.CopyFrom(offered(later))
    await practice.book(match, later, patient_id=OTHER, patient_notes="another's words", request_id="other")
    return match.doctor_id


async def erase(practice: Practice, request_id: str = "", role: Role = Role.ADMIN) -> Any:
    request = patient_data_pb2.ErasePatientDataRequest(patient_id=PATIENT, request_id=request_id)
    return await call(practice, "ErasePatientData", request, role, PATIENT if role is Role.PATIENT else None)


async def everything_in(record: AccessRecord) -> str:
    """Every row of every table as text; bytes as text too."""
    tables = await record.select("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [row for (table,) in tables for row in await record.select(f"SELECT t::text FROM {table} t")]
    text = "\n".join(row for (row,) in rows)
    return text + "".join(word for word in (*WORDS, "another's words") if word.encode().hex() in text)


async def faults(record: AccessRecord) -> list[str]:
    """What an audit of both chains finds."""
    async with auditing_accesses("appointment", record.url) as accesses:
        found = [str(fault) async for fault in accesses.faults()]
    async with auditing(record.url, accesses.erased) as history:
        return found + [str(fault) async for fault in history.faults()]


async def export(practice: Practice, role: Role, subject: str, page_size: int = 0) -> list[tuple[str, Any]]:
    """All records, page by page, with their kinds."""
    found, token = [], ""
    while True:
        request = patient_data_pb2.ExportPatientDataRequest(patient_id=PATIENT, page_size=page_size, page_token=token)
        page = await call(practice, "ExportPatientData", request, role, subject)
        for one in page.records:
            kind = one.WhichOneof("record")
            found.append((kind, getattr(one, kind)))
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.usefixtures("doctor_id")
async def test_erasure_leaves_no_word_anywhere_and_every_chain_whole(practice: Practice, record: AccessRecord):
    before = await everything_in(record)
    assert all(word in before for word in WORDS)
    answer = await erase(practice)
    assert (answer.patient_id, answer.erase_time) == (PATIENT, to_timestamp(NOW))
    after = await everything_in(record)
    assert [word for word in WORDS if word in after] == []
    assert "another's words" in after
    assert PATIENT in after, "the record of visits stays"
    assert await faults(record) == []


@pytest.mark.usefixtures("doctor_id")
async def test_words_that_are_gone_without_an_erasure_are_found(practice: Practice, record: AccessRecord):
    await record.tamper("UPDATE event SET reason = '', reason_salt = NULL WHERE reason <> ''")
    [fault] = await faults(record)
    assert fault.startswith("CHANGED")
    assert "no erasure" in fault
    await erase(practice)
    assert await faults(record) == [], "now there is one"


@pytest.mark.usefixtures("doctor_id")
async def test_an_erasure_is_on_record_once_and_a_repeat_tells_when(practice: Practice, record: AccessRecord):
    last = await record.last()
    await erase(practice, "by letter of 1 March")
    [row] = await record.rows(last)
    assert (row["action"], row["entity"], row["patient_ids"], row["outcome"]) == ("D", "Patient", [PATIENT], "OK")
    assert "letter" not in str(row), "the record holds no text of a caller's"
    practice.now[0] = NOW + timedelta(days=1)
    assert (await erase(practice, "by letter of 1 March")).erase_time == to_timestamp(NOW)
    assert (await erase(practice, "another")).erase_time == to_timestamp(NOW + timedelta(days=1))


@pytest.mark.usefixtures("doctor_id")
async def test_a_repeat_of_what_was_erased_is_refused_and_does_nothing_twice(practice: Practice):
    await erase(practice)
    match = practice.doctors.matches[0]
    again = practice.book(match, patient_id=PATIENT, patient_notes=NOTES, request_id="first")
    assert reason_of(await refusal(again)) == "IDEMPOTENCY_KEY_REUSED"


async def test_who_is_still_to_be_treated_keeps_everything_and_the_appointments_are_named(
    practice: Practice, record: AccessRecord, doctor_id: str
):
    slot = offered(TEN + timedelta(days=2))
    match = practice.doctors.offer(exact_slot=slot, slots=[slot])
    assert doctor_id != match.doctor_id
    booked = (await practice.book(match, TEN + timedelta(days=2), patient_id=PATIENT)).appointment
    error = await refusal(erase(practice))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "PATIENT_HAS_APPOINTMENTS")
    told = detail(error, error_details_pb2.ErrorInfo()).metadata
    assert (told["appointment_count"], told["appointment_ids"]) == ("1", booked.id)
    assert NOTES in await everything_in(record)
    await call(practice, "CancelAppointment", pb.CancelAppointmentRequest(id=booked.id))
    await erase(practice)
    assert NOTES not in await everything_in(record)


@pytest.mark.usefixtures("doctor_id")
async def test_a_patient_asks_and_an_administrator_erases(practice: Practice, record: AccessRecord):
    error = await refusal(erase(practice, role=Role.PATIENT))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert NOTES in await everything_in(record)


@pytest.mark.usefixtures("doctor_id")
async def test_an_export_brings_everything_once_whatever_the_length_of_its_pages(practice: Practice):
    whole = await export(practice, Role.ADMIN, GUARDIAN)
    kinds = [kind for kind, _ in whole]
    assert kinds[: kinds.index("access")] == ["appointment"] * 2 + ["event"] * 6
    assert {one.patient_notes for kind, one in whole if kind == "appointment"} == {NOTES}
    assert [one.reason for kind, one in whole if kind == "event" and one.reason] == [REASON]
    assert [one.break_glass_reason for kind, one in whole if kind == "access" and one.break_glass_reason] == [GLASS]
    in_pieces = await export(practice, Role.ADMIN, GUARDIAN, page_size=3)
    # Each page is an access itself.
    own = [pair for pair in in_pieces if not (pair[0] == "access" and pair[1].method.endswith("ExportPatientData"))]
    assert own == [pair for pair in whole if not (pair[0] == "access" and pair[1].method.endswith("ExportPatientData"))]


async def test_a_claim_is_exported_while_it_keeps_time(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    visit = (await practice.book(match, patient_id=PATIENT)).appointment
    [claim] = [one for kind, one in await export(practice, Role.PATIENT, PATIENT) if kind == "claim"]
    assert (claim.appointment_id, claim.start_time, claim.end_time) == (visit.id, visit.start_time, visit.end_time)


@pytest.mark.usefixtures("doctor_id")
@pytest.mark.parametrize("rpc", ["ExportPatientData", "ListAccesses"])
async def test_nobody_but_the_patient_and_administrators_is_told(practice: Practice, rpc: str):
    request = getattr(patient_data_pb2, f"{rpc}Request")(patient_id=PATIENT)
    for role in (Role.PATIENT, Role.DOCTOR, Role.SERVICE):
        error = await refusal(call(practice, rpc, request, role))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.usefixtures("doctor_id")
async def test_a_patient_is_told_who_looked_and_why_the_glass_was_broken(practice: Practice):
    request = patient_data_pb2.ListAccessesRequest(patient_id=PATIENT)
    admins = pb.ListAppointmentsRequest()
    await call(practice, "ListAppointments", admins, Role.ADMIN)
    page = await call(practice, "ListAccesses", request, Role.PATIENT, PATIENT)
    latest, glass = page.accesses
    assert (glass.purpose, glass.break_glass_reason, glass.outcome) == ("BTG", GLASS, "OK")
    assert glass.agent_role == patient_data_pb2.AGENT_ROLE_DOCTOR
    assert glass.agent_id
    assert (latest.agent_role, latest.agent_id) == (patient_data_pb2.AGENT_ROLE_ADMIN, "")
    assert len(latest.entity_ids) == 2, "the visits of others in the same list are nobody's business"
    wanted = patient_data_pb2.ListAccessesRequest(patient_id=PATIENT, page_size=1, page_token=page.next_page_token)
    first = await call(practice, "ListAccesses", wanted, Role.PATIENT, PATIENT)
    assert first.accesses[0].method.endswith("/ListAccesses"), "that they looked is on record as well"
    assert first.next_page_token


@pytest.mark.usefixtures("doctor_id")
async def test_administrators_list_every_broken_glass_at_once(practice: Practice):
    request = patient_data_pb2.ListAccessesRequest(break_glass_only=True)
    [only] = (await call(practice, "ListAccesses", request)).accesses
    assert only.break_glass_reason == GLASS
    error = await refusal(call(practice, "ListAccesses", request, Role.PATIENT, PATIENT))
    assert fields_of(error) == ["patient_id"]
