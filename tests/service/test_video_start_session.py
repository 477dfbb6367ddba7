"""Joining a visit over gRPC: who is let in, what they get, and what everybody else is told."""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from telemed.video.v1 import video_service_pb2 as pb

from chassis.client import rpc_name
from chassis.context import Role
from chassis.protos import to_timestamp
from tests.domain.video.video_builders import START
from tests.fix_spans import Spans
from tests.fix_video import AS_DOCTOR, AS_PATIENT, Booked, House, Visits, info_of
from tests.refusals import fields_of, reason_of, refusal
from video_svc.api.policy import POLICY


@pytest.fixture
async def visit(visits: Visits) -> Booked:
    """A confirmed visit that starts now, by the service's clock."""
    booked = Booked()
    visits.feed.tell(booked)
    return booked


async def test_the_patient_gets_all_that_a_browser_needs(visits: Visits, visit: Booked) -> None:
    answer = await visits.start_as_patient(visit)
    assert UUID(answer.session_id).version == 4
    assert answer.join_url == f"https://clinic.example/session/{answer.session_id}"
    assert answer.cloudflare_session_id == ""
    assert list(answer.ice_servers) == [pb.IceServer(urls=["stun:stun.cloudflare.com:3478"])]
    assert answer.join_token_expire_time == to_timestamp(START + timedelta(minutes=10))


async def test_no_address_carries_the_token_or_tells_of_the_appointment(visits: Visits, visit: Booked) -> None:
    answer = await visits.start_as_patient(visit)
    for secret in (answer.join_token, visit.appointment_id, visit.patient_id, visit.doctor_id):
        assert secret not in answer.join_url


async def test_the_join_token_is_signed_by_the_services_own_key(
    visits: Visits, visit: Booked, video_house: House
) -> None:
    answer = await visits.start_as_doctor(visit)
    key = serialization.load_pem_private_key(video_house.key_file.read_bytes(), None).public_key()
    # The visit lives on the test's clock, so the times are compared below and not checked against the machine's.
    unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(answer.join_token, key, ["ES256"], unchecked, audience="telemed-visit", issuer="telemed-video")
    assert (claims["sub"], claims["role"], claims["sid"]) == (visit.doctor_id, "doctor", answer.session_id)
    assert claims["exp"] == answer.join_token_expire_time.seconds


async def test_a_join_token_opens_no_rpc(visits: Visits, visit: Booked) -> None:
    answer = await visits.start_as_patient(visit)
    metadata = [("authorization", f"Bearer {answer.join_token}")]
    error = await refusal(visits.stub.GetSession(pb.GetSessionRequest(session_id=answer.session_id), metadata=metadata))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_asking_again_answers_the_same_session_with_a_fresh_token(visits: Visits, visit: Booked) -> None:
    first = await visits.start_as_patient(visit)
    visits.clock.now += timedelta(minutes=5)
    second = await visits.start_as_patient(visit)
    assert second.session_id == first.session_id
    assert second.join_token != first.join_token
    session = await visits.get(first.session_id)
    assert [participant.join_time for participant in session.participants] == [to_timestamp(START)]


async def test_twenty_calls_at_once_make_one_participant(visits: Visits, visit: Booked) -> None:
    answers = await asyncio.gather(*(visits.start_as_patient(visit) for _ in range(20)))
    assert len({answer.session_id for answer in answers}) == 1
    assert len({answer.join_token for answer in answers}) == 20
    assert len((await visits.get(answers[0].session_id)).participants) == 1


async def test_patient_and_doctor_meet_in_one_open_session(visits: Visits, visit: Booked) -> None:
    patient, doctor = await asyncio.gather(visits.start_as_patient(visit), visits.start_as_doctor(visit))
    assert patient.session_id == doctor.session_id
    session = await visits.get(patient.session_id)
    assert session.state == pb.SESSION_STATE_OPEN
    assert {participant.participant_type for participant in session.participants} == {AS_PATIENT, AS_DOCTOR}


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_a_stranger_cannot_tell_a_visit_from_none(
    visits: Visits, visit: Booked, role: Role, spans: Spans
) -> None:
    await visits.start_as_patient(visit)
    side = AS_PATIENT if role is Role.PATIENT else AS_DOCTOR
    for appointment_id in (visit.appointment_id, str(uuid4())):
        spans.exporter.clear()
        error = await refusal(visits.start(appointment_id, side, role, str(uuid4())))
        assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "there is no such session")
        assert reason_of(error) == "SESSION_NOT_FOUND"
        # Looked for again and again, there or not: neither answer comes sooner than the other.
        assert len(spans.named("get_session_of_appointment")) > 3


async def test_an_id_counts_only_with_its_role(visits: Visits, visit: Booked) -> None:
    error = await refusal(visits.start(visit.appointment_id, AS_PATIENT, Role.DOCTOR, visit.patient_id))
    assert reason_of(error) == "SESSION_NOT_FOUND"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE])
async def test_staff_never_sit_in_a_visit(visits: Visits, visit: Booked, role: Role) -> None:
    error = await refusal(visits.start(visit.appointment_id, AS_DOCTOR, role, visit.doctor_id))
    assert reason_of(error) == "PERMISSION_DENIED"


async def test_nobody_joins_in_the_others_place(visits: Visits, visit: Booked) -> None:
    error = await refusal(visits.start(visit.appointment_id, AS_DOCTOR, Role.PATIENT, visit.patient_id))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == ["participant_type"]


@pytest.mark.parametrize(
    ("appointment_id", "side", "field"),
    [
        ("", AS_PATIENT, "appointment_id"),
        ("{0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}", AS_PATIENT, "appointment_id"),
        ("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", pb.PARTICIPANT_TYPE_UNSPECIFIED, "participant_type"),
        ("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", 7, "participant_type"),
    ],
)
async def test_a_bad_field_is_named(visits: Visits, appointment_id: str, side: int, field: str) -> None:
    error = await refusal(visits.start(appointment_id, side, Role.PATIENT, str(uuid4())))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [field]


async def test_too_early_is_told_the_time_that_works_and_then_it_does(visits: Visits, visit: Booked) -> None:
    visits.clock.now = START - timedelta(minutes=10, seconds=1)
    error = await refusal(visits.start_as_patient(visit))
    info = info_of(error)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (info.reason, info.metadata["open_time"]) == ("JOIN_TOO_EARLY", "2026-03-04T14:50:00Z")

    visits.clock.now = START - timedelta(minutes=10)
    assert (await visits.start_as_patient(visit)).session_id


async def test_half_an_hour_after_the_end_is_too_late(visits: Visits, visit: Booked) -> None:
    visits.clock.now = START + timedelta(minutes=60)
    assert reason_of(await refusal(visits.start_as_patient(visit))) == "JOIN_TOO_LATE"


async def test_the_join_window_is_configured(video_house: House) -> None:
    visit = Booked()
    video_house.feed.tell(visit)
    async with video_house.service(join_opens_minutes_before=60) as visits:
        visits.clock.now = START - timedelta(minutes=60)
        assert (await visits.start_as_patient(visit)).session_id


async def test_people_stay_out_of_the_log(visits: Visits, visit: Booked, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await visits.start_as_patient(visit)
        await refusal(visits.start(visit.appointment_id, AS_DOCTOR, Role.PATIENT, visit.patient_id))
    written = "\n".join(str(vars(record)) for record in caplog.records)
    assert "telemed.video.v1.VideoService/StartSession" in written
    for secret in (visit.patient_id, visit.doctor_id, visit.appointment_id, answer.join_token):
        assert secret not in written


def test_every_rpc_says_who_may_call_it() -> None:
    methods = pb.DESCRIPTOR.services_by_name["VideoService"].methods
    assert set(POLICY) == {rpc_name(method) for method in methods}
