"""Each call of the video service that touches a visit leaves one row; what goes on inside a visit leaves none."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.video.v1 import media_pb2, presence_pb2, quality_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.accesses import Leaves, of_patient_data
from chassis.context import Role
from tests.fix_accesses import AccessRecord
from tests.fix_video import AS_PATIENT, House
from tests.fix_video_call import Call, Person, candidates, description
from tests.refusals import refusal
from video_svc.api.audit import TOUCHES

SERVICE = "telemed.video.v1.VideoService"
OFFER = description("OFFER").description
THEIRS = media_pb2.RemoteTrack(name="camera", participant_id=str(uuid4()))
SAMPLE = quality_pb2.QualitySample(number=1, seconds=5)


def of_session(message: type, **fields: Any) -> Callable[[Call], Any]:
    return lambda call: message(session_id=call.patient.session_id, **fields)


def about_patient(message: type) -> Callable[[Call], Any]:
    return lambda call: message(session_id=call.patient.session_id, participant_id=call.patient.participant_id)


# Who may call it, and with which request, once patient and doctor are connected.
CASES: dict[str, tuple[str, Callable[[Call], Any]]] = {
    "StartSession": ("patient", lambda call: pb.StartSessionRequest(
        appointment_id=call.patient.visit.appointment_id, participant_type=AS_PATIENT)),
    "CheckIn": ("patient", of_session(presence_pb2.CheckInRequest, camera=True)),
    "Admit": ("doctor", about_patient(presence_pb2.AdmitRequest)),
    "Reject": ("doctor", about_patient(presence_pb2.RejectRequest)),
    "Remove": ("doctor", about_patient(presence_pb2.RemoveRequest)),
    "SendSignal": ("patient", of_session(
        signalling_pb2.SendSignalRequest, attempt=1, peer_attempt=1, number=1, payload=candidates("candidate:1"))),
    "WatchSession": ("doctor", of_session(pb.WatchSessionRequest)),
    "CreateStreamTicket": ("patient", of_session(signalling_pb2.CreateStreamTicketRequest)),
    "PublishTracks": ("patient", of_session(
        media_pb2.PublishTracksRequest, attempt=1, offer=OFFER, tracks=[media_pb2.LocalTrack(mid="0", name="camera")])),
    "SubscribeTracks": ("patient", of_session(media_pb2.SubscribeTracksRequest, attempt=1, tracks=[THEIRS])),
    "AnswerOffer": ("patient", of_session(
        media_pb2.AnswerOfferRequest, attempt=1, answer=description("ANSWER").description)),
    "RefreshIce": ("patient", of_session(presence_pb2.RefreshIceRequest, attempt=1)),
    "Heartbeat": ("patient", of_session(
        presence_pb2.HeartbeatRequest, attempt=1, number=99, connection_state=presence_pb2.CONNECTION_STATE_CONNECTED)),
    "ReportQuality": ("patient", of_session(quality_pb2.ReportQualityRequest, attempt=1, samples=[SAMPLE])),
    "GetSessionStats": ("doctor", of_session(quality_pb2.GetSessionStatsRequest)),
    "LeaveSession": ("patient", of_session(presence_pb2.LeaveSessionRequest, attempt=1)),
    "EndSession": ("doctor", of_session(presence_pb2.EndSessionRequest)),
    "GetSession": ("patient", of_session(pb.GetSessionRequest)),
    "ListSessions": ("doctor", lambda call: pb.ListSessionsRequest(patient_id=call.patient.visit.patient_id)),
}  # fmt: skip
# These need a provider that forwards; that they are let in or not is decided before.
MEDIA = ("PublishTracks", "SubscribeTracks", "AnswerOffer")
# The patient is connected, so there is nothing left to decide at the door.
DECIDED = ("Admit", "Reject")


@pytest.fixture
def record(video_db_url: str) -> AccessRecord:
    return AccessRecord("video", video_db_url)


@pytest.fixture
async def call(call: Call, video_house: House) -> Call:
    """Two people whose visit has been copied: a busy machine may take longer than a patient waits at the door."""
    await video_house.copied(1)
    return call


def test_there_is_a_case_for_each_rpc():
    assert {f"{SERVICE}/{rpc}" for rpc in CASES} == set(TOUCHES) - set(of_patient_data(SERVICE))


async def ask(person: Person, rpc: str, request: Any, metadata: list[tuple[str, str]] | None = None) -> Any:
    answer = getattr(person.visits.stub, rpc)(request, metadata=metadata or person.metadata, timeout=30)
    if rpc == "WatchSession":
        first = await answer.read()
        answer.cancel()
        return first
    return await answer


@pytest.mark.parametrize("rpc", [rpc for rpc in CASES if rpc not in (*MEDIA, *DECIDED)])
async def test_a_call_leaves_one_row_unless_it_goes_on_in_a_visit(call: Call, record: AccessRecord, rpc: str):
    await call.connect()
    before, (who, request) = await record.last(), CASES[rpc]
    await ask(call.patient if who == "patient" else call.doctor, rpc, request(call))
    rows, touch = await record.rows(before), TOUCHES[f"{SERVICE}/{rpc}"]
    if touch.leaves is Leaves.NO_ROW:
        assert rows == []
        return
    [row] = rows
    visit = call.patient.visit
    assert (row["method"], row["action"], row["entity"]) == (f"{SERVICE}/{rpc}", touch.action, touch.entity)
    assert (row["actor_role"], row["outcome"]) == (who, "OK")
    assert set(row["patient_ids"]) == {visit.patient_id}
    expected = visit.appointment_id if rpc == "StartSession" else call.patient.session_id
    assert expected in row["entity_ids"]


@pytest.mark.parametrize("rpc", CASES)
async def test_a_stranger_leaves_one_row_that_says_what_they_wanted(call: Call, record: AccessRecord, rpc: str):
    await call.connect()
    before, (who, request) = await record.last(), CASES[rpc]
    stranger, role = str(uuid4()), Role(who)
    metadata = call.patient.visits.callers.metadata(role, stranger)
    if rpc == "ListSessions":
        assert not (await ask(call.doctor, rpc, request(call), metadata)).sessions
        [row] = await record.rows(before)
        assert (row["outcome"], row["patient_ids"]) == ("OK", [call.patient.visit.patient_id])
        return
    error = await refusal(ask(call.patient, rpc, request(call), metadata))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    [row] = await record.rows(before)
    assert (row["outcome"], row["outcome_reason"], row["actor_subject"]) == ("NOT_FOUND", "SESSION_NOT_FOUND", stranger)
    assert row["patient_ids"] == [call.patient.visit.patient_id]


async def test_a_browser_that_comes_by_ticket_leaves_a_row_of_whom_it_speaks_for(call: Call, record: AccessRecord):
    await call.connect()
    request = signalling_pb2.CreateStreamTicketRequest(session_id=call.patient.session_id)
    ticket = (await ask(call.patient, "CreateStreamTicket", request)).ticket
    before = await record.last()
    watch = pb.WatchSessionRequest(session_id=call.patient.session_id)
    await ask(call.patient, "WatchSession", watch, [("authorization", f"Ticket {ticket}")])
    [row] = await record.rows(before)
    assert (row["actor_subject"], row["actor_role"]) == (call.patient.visit.patient_id, "patient")


async def test_the_chain_of_a_visit_is_whole(call: Call, record: AccessRecord):
    await call.connect()
    await call.doctor.end()
    assert len(await record.rows()) >= 4
    assert await record.faults() == []
