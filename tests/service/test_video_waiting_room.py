"""The waiting room: a patient knocks, the doctor decides, and nothing secret is told before that."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from telemed.video.v1 import presence_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from tests.domain.video.video_builders import START
from tests.fix_video import House, info_of
from tests.fix_video_call import Call, Person, call_of, candidates
from tests.refusals import reason_of, refusal

WAITING, ADMITTED = presence_pb2.PARTICIPANT_STATE_WAITING, presence_pb2.PARTICIPANT_STATE_ADMITTED
CONNECTING = presence_pb2.PARTICIPANT_STATE_CONNECTING


def state_of(session: pb.Session, person: Person) -> int:
    return next(one.state for one in session.participants if one.participant_id == person.participant_id)


async def test_a_patient_waits_until_the_doctor_admits_and_then_begins_an_attempt(call: Call) -> None:
    knocked = await call.patient.start()
    assert (knocked.participant_state, knocked.attempt) == (WAITING, 0)
    await call.doctor.start()
    assert state_of(await call.doctor.see(), call.patient) == WAITING

    assert state_of(await call.doctor.decide("Admit", call.patient), call.patient) == ADMITTED
    begun = await call.patient.start()
    assert (begun.participant_state, begun.attempt, begun.polite) == (CONNECTING, 1, True)
    assert begun.session_id == knocked.session_id


async def test_a_doctor_walks_in_and_gives_way_to_nobody(call: Call) -> None:
    begun = await call.doctor.start()
    assert (begun.participant_state, begun.attempt, begun.polite) == (CONNECTING, 1, False)
    assert begun.topology == pb.TOPOLOGY_PEER_TO_PEER


async def test_the_doctor_sees_what_the_device_check_found(call: Call) -> None:
    await call.patient.start()
    await call.patient.check_in(camera=True, microphone=False, network=True)
    await call.doctor.start()
    (waiting,) = [one for one in (await call.doctor.see()).participants if one.state == WAITING]
    assert waiting.device_check == presence_pb2.DeviceCheck(camera=True, network=True)


async def test_relay_credentials_are_told_only_once_the_patient_is_admitted(video_house: House) -> None:
    relay = {"urls": ["turn:turn.example:3478"], "username": "u", "credential": "secret"}
    async with video_house.service(ice_servers=[{"urls": ["stun:stun.example:3478"]}, relay]) as visits:
        call = call_of(visits)
        assert [list(server.urls) for server in (await call.patient.start()).ice_servers] == [
            ["stun:stun.example:3478"]
        ]
        early = call.patient.call(
            "RefreshIce", presence_pb2.RefreshIceRequest(session_id=call.patient.session_id, attempt=1)
        )
        assert reason_of(await refusal(early)) == "NOT_ADMITTED"

        await call.doctor.start()
        await call.doctor.decide("Admit", call.patient)
        assert [server.credential for server in (await call.patient.start()).ice_servers] == ["", "secret"]
        request = presence_pb2.RefreshIceRequest(session_id=call.patient.session_id, attempt=call.patient.attempt)
        assert [server.credential for server in (await call.patient.call("RefreshIce", request)).ice_servers] == [
            "",
            "secret",
        ]


async def test_who_was_not_admitted_may_knock_again_after_a_minute(call: Call) -> None:
    await call.patient.start()
    await call.doctor.start()
    await call.doctor.decide("Reject", call.patient)
    error = await refusal(call.patient.start())
    assert (reason_of(error), info_of(error).metadata["knock_time"]) == ("KNOCK_TOO_SOON", "2026-03-04T15:01:00Z")

    call.patient.visits.clock.now = START + timedelta(seconds=60)
    assert (await call.patient.start()).participant_state == WAITING


async def test_who_was_removed_never_comes_back(call: Call) -> None:
    await call.connect()
    await call.doctor.decide("Remove", call.patient)
    assert (await call.doctor.see()).state == pb.SESSION_STATE_INTERRUPTED
    for attempt in (call.patient.start(), call.patient.check_in()):
        assert reason_of(await refusal(attempt)) == "REMOVED"
    assert reason_of(await refusal(call.patient.say(call.doctor))) == "REMOVED"


async def test_an_unadmitted_patient_sends_and_hears_no_signals(call: Call) -> None:
    await call.patient.start()
    await call.doctor.start()
    call.patient.attempt = 1
    assert reason_of(await refusal(call.patient.say(call.doctor))) == "NOT_ADMITTED"
    # And the doctor has nobody to speak to.
    assert reason_of(await refusal(call.doctor.say(call.patient))) == "INVALID_ARGUMENT"


async def test_deciding_twice_changes_nothing_and_deciding_on_nobody_is_refused(call: Call) -> None:
    await call.patient.start()
    await call.doctor.start()
    first = await call.doctor.decide("Admit", call.patient)
    assert await call.doctor.decide("Admit", call.patient) == first
    assert reason_of(await refusal(call.doctor.decide("Reject", call.patient))) == "NOT_ADMITTED"
    call.patient.participant_id = str(uuid4())
    assert reason_of(await refusal(call.doctor.decide("Admit", call.patient))) == "PARTICIPANT_NOT_FOUND"
    assert reason_of(await refusal(call.doctor.decide("Remove", call.doctor))) == "PARTICIPANT_NOT_FOUND"


async def test_only_the_visits_own_doctor_decides(call: Call) -> None:
    await call.patient.start()
    stranger = Person(call.patient.visits, call.patient.visit, Role.DOCTOR, str(uuid4()), call.patient.session_id)
    assert reason_of(await refusal(stranger.decide("Admit", call.patient))) == "SESSION_NOT_FOUND"
    assert reason_of(await refusal(call.patient.decide("Admit", call.patient))) == "PERMISSION_DENIED"


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_a_stranger_gets_nothing_from_any_call(call: Call, role: Role) -> None:
    await call.connect()
    own = call.patient if role is Role.PATIENT else call.doctor
    stranger = Person(own.visits, own.visit, role, str(uuid4()), own.session_id, own.participant_id, attempt=1)
    calls = [
        stranger.check_in(),
        stranger.say(call.doctor, candidates("candidate:x")),
        stranger.report(),
        stranger.leave(),
        stranger.see(),
        stranger.call("RefreshIce", presence_pb2.RefreshIceRequest(session_id=own.session_id, attempt=1)),
        stranger.hear(bool),
    ]
    if role is Role.DOCTOR:
        calls += [stranger.end(), stranger.decide("Admit", call.patient), stranger.decide("Remove", call.patient)]
    for one in calls:
        assert reason_of(await refusal(one)) == "SESSION_NOT_FOUND"


async def test_the_same_request_id_goes_on_with_the_attempt_that_it_began(call: Call) -> None:
    first = await call.doctor.start(request_id="page-1")
    again = await asyncio.gather(*(call.doctor.start(request_id="page-1") for _ in range(5)))
    assert {answer.attempt for answer in [first, *again]} == {1}
    assert (await call.doctor.start(request_id="page-2")).attempt == 2
    assert (await call.doctor.start()).attempt == 3


async def test_leaving_the_waiting_room_is_not_leaving_a_visit(call: Call) -> None:
    await call.patient.start()
    assert list((await call.patient.leave()).participants) == []
    assert (await call.patient.start()).participant_state == WAITING
