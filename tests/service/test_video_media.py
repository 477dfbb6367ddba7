"""Visits through a forwarding provider: exchanges never overlap, repeats are one, what is lost begins anew."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from telemed.video.v1 import media_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb

from tests.doubles.cloudflare import CloudflareDouble
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET, Fault
from tests.doubles.sfu_engine import text_sdp
from tests.fix_video import House, Visits
from tests.fix_video_call import Call, Person, call_of
from tests.refusals import fields_of, reason_of, refusal
from video_svc.provider_settings import CloudflareSettings

OFFER, ANSWER = signalling_pb2.SDP_TYPE_OFFER, signalling_pb2.SDP_TYPE_ANSWER


def description(kind: int, sections: int = 1) -> signalling_pb2.SessionDescription:
    return signalling_pb2.SessionDescription(type=kind, sdp=text_sdp([str(number) for number in range(sections)]))


async def publish(person: Person, *names: str, **changed: object) -> media_pb2.PublishTracksResponse:
    tracks = [media_pb2.LocalTrack(mid=str(number), name=name) for number, name in enumerate(names)]
    wish = {"attempt": person.attempt, "offer": description(OFFER, len(names)), "tracks": tracks} | changed
    return await person.call("PublishTracks", media_pb2.PublishTracksRequest(session_id=person.session_id, **wish))


async def subscribe(
    person: Person, sender: Person, *names: str, **changed: object
) -> media_pb2.SubscribeTracksResponse:
    tracks = [media_pb2.RemoteTrack(participant_id=sender.participant_id, name=name) for name in names]
    wish = {"attempt": person.attempt, "tracks": tracks} | changed
    return await person.call("SubscribeTracks", media_pb2.SubscribeTracksRequest(session_id=person.session_id, **wish))


async def answer(person: Person, offer: signalling_pb2.SessionDescription, **changed: object) -> None:
    reply = signalling_pb2.SessionDescription(type=ANSWER, sdp=offer.sdp)
    wish = {"attempt": person.attempt, "answer": reply} | changed
    await person.call("AnswerOffer", media_pb2.AnswerOfferRequest(session_id=person.session_id, **wish))


def account_at(double: CloudflareDouble) -> dict[str, object]:
    """The settings of a service whose provider is the double."""
    account = CloudflareSettings(
        realtime_app_id=APP_ID, realtime_api_token=APP_SECRET, realtime_base_url=double.base_url
    )
    return {"media_provider": "cloudflare", "cloudflare": account}


@pytest.fixture
async def relayed(video_house: House, double: CloudflareDouble) -> AsyncIterator[Visits]:
    """A video service whose provider is Cloudflare's double."""
    async with video_house.service(**account_at(double)) as visits:
        yield visits


@pytest.fixture
async def both(relayed: Visits) -> Call:
    """Both of a visit are in the call, and the patient sends sound and picture."""
    call = call_of(relayed)
    await call.connect()
    await publish(call.patient, "sound", "picture")
    return call


async def test_everybody_gets_a_provider_session_of_their_own_once_they_are_let_in(
    relayed: Visits, double: CloudflareDouble
) -> None:
    call = call_of(relayed)
    assert (await call.patient.start()).cloudflare_session_id == ""
    doctor = await call.doctor.start(request_id="page")
    await call.doctor.decide("Admit", call.patient)
    patient = await call.patient.start()
    assert doctor.topology == pb.TOPOLOGY_SFU
    assert {doctor.cloudflare_session_id, patient.cloudflare_session_id} == set(double.sessions)
    again = await asyncio.gather(*(call.doctor.start(request_id="page") for _ in range(5)))
    assert {one.cloudflare_session_id for one in again} == {doctor.cloudflare_session_id}
    assert len(double.sessions) == 2
    assert all(
        visit_id not in one.correlation for one in double.sessions.values() for visit_id in vars(call.patient.visit)
    )


async def test_what_one_sends_the_other_is_told_of_and_receives(both: Call) -> None:
    sender = next(
        one for one in (await both.doctor.see()).participants if one.participant_id == both.patient.participant_id
    )
    assert list(sender.track_names) == ["picture", "sound"]
    subscribed = await subscribe(both.doctor, both.patient, "sound", "picture")
    assert subscribed.offer.type == OFFER
    assert [(one.name, one.participant_id, one.error) for one in subscribed.tracks] == [
        ("sound", both.patient.participant_id, 0),
        ("picture", both.patient.participant_id, 0),
    ]
    await answer(both.doctor, subscribed.offer)


async def test_tracks_are_told_of_only_once_their_sender_is_connected(relayed: Visits) -> None:
    call = call_of(relayed)
    await call.admit()
    await publish(call.patient, "sound")
    assert [list(one.track_names) for one in (await call.doctor.see()).participants] == [[], []]
    listening = asyncio.create_task(
        call.doctor.hear(lambda heard: any(one.track_names for one in heard[-1].session.participants))
    )
    await asyncio.sleep(0.1)
    await call.patient.report()
    await listening


async def test_some_tracks_of_a_batch_may_fail(both: Call, double: CloudflareDouble) -> None:
    double.will("tracks/new", Fault(items={"b": "internal_error"}))
    published = await publish(both.doctor, "a", "b", "c")
    assert [(one.name, one.error == 0) for one in published.tracks] == [("a", True), ("b", False), ("c", True)]
    subscribed = await subscribe(both.patient, both.doctor, "a", "b", "nothing")
    assert [one.error for one in subscribed.tracks] == [
        0,
        media_pb2.TRACK_ERROR_NOT_FOUND,
        media_pb2.TRACK_ERROR_NOT_FOUND,
    ]
    nothing = await subscribe(both.doctor, both.patient, "nothing")
    assert not nothing.HasField("offer")


async def test_exchanges_of_one_attempt_never_overlap_whichever_replica_they_come_through(
    both: Call, double: CloudflareDouble, video_house: House
) -> None:
    double.will("tracks/new", *[Fault(delay_seconds=0.1)] * 6)
    async with video_house.service(**account_at(double)) as there:
        elsewhere = replace(both.doctor, visits=there)
        published = [publish(one, f"t{number}") for number in range(3) for one in (both.doctor, elsewhere)]
        answers = await asyncio.gather(*published)
    assert all(one.HasField("answer") for one in answers)
    assert max(double.most_at_once.values()) == 1


async def test_a_second_subscription_waits_until_the_first_was_answered(both: Call, double: CloudflareDouble) -> None:
    first = await subscribe(both.doctor, both.patient, "sound")
    second = asyncio.create_task(subscribe(both.doctor, both.patient, "picture"))
    await asyncio.sleep(0.3)
    assert not second.done()
    await answer(both.doctor, first.offer)
    assert (await second).HasField("offer")
    assert not [reply for reply in double.operations() if reply == "unknown"]


async def test_a_subscription_that_nobody_answers_loses_the_attempt(both: Call, relayed: Visits) -> None:
    await subscribe(both.doctor, both.patient, "sound")
    relayed.clock.now += timedelta(seconds=15)
    error = await refusal(subscribe(both.doctor, both.patient, "picture"))
    assert reason_of(error) == "ATTEMPT_GONE"
    assert reason_of(await refusal(publish(both.doctor, "a"))) == "ATTEMPT_GONE"
    await both.doctor.start()
    assert (await publish(both.doctor, "a")).HasField("answer")


async def test_there_is_nothing_to_answer_without_an_offer(both: Call) -> None:
    offer = description(OFFER)
    assert reason_of(await refusal(answer(both.doctor, offer))) == "MEDIA_OUT_OF_ORDER"


async def test_a_repeat_gets_the_same_answer_and_reaches_the_provider_once(
    both: Call, double: CloudflareDouble
) -> None:
    before = double.operations().count("tracks/new")
    wishes = [publish(both.doctor, "a", request_id="r1") for _ in range(3)]
    answers = await asyncio.gather(*wishes)
    assert all(one == answers[0] for one in answers)
    assert double.operations().count("tracks/new") == before + 1
    assert reason_of(await refusal(publish(both.doctor, "b", request_id="r1"))) == "IDEMPOTENCY_KEY_REUSED"
    subscribed = await subscribe(both.doctor, both.patient, "sound", request_id="r2")
    assert await subscribe(both.doctor, both.patient, "sound", request_id="r2") == subscribed
    for _ in range(2):
        await answer(both.doctor, subscribed.offer, request_id="r3")


@pytest.mark.parametrize(
    ("fault", "reason", "is_lost"),
    [
        (Fault(status=425, code="session_error"), "MEDIA_BUSY", False),
        (Fault(status=406, code="invalid_session_description"), "MEDIA_OUT_OF_ORDER", False),
        (Fault(status=410, code="session_error"), "ATTEMPT_GONE", True),
        (Fault(status=400, code="invalid_params"), "INVALID_ARGUMENT", False),
        (Fault(status=401, code="unauthorized"), "MEDIA_NOT_CONFIGURED", False),
        (Fault(status=200, after_effect=True, hang_up=True), "OUTCOME_UNKNOWN", True),
    ],
)
async def test_a_failure_says_what_to_do_next(
    both: Call, double: CloudflareDouble, fault: Fault, reason: str, *, is_lost: bool
) -> None:
    double.will("tracks/new", *[fault] * 20)
    assert reason_of(await refusal(publish(both.doctor, "a"))) == reason
    double._faults["tracks/new"].clear()
    if is_lost:
        assert reason_of(await refusal(publish(both.doctor, "a"))) == "ATTEMPT_GONE"
        await both.doctor.start()
    assert (await publish(both.doctor, "a")).HasField("answer")


async def test_what_a_lost_answer_opened_is_closed_with_its_attempt(both: Call, double: CloudflareDouble) -> None:
    lost = (await both.doctor.start()).cloudflare_session_id
    double.will("tracks/new", Fault(after_effect=True, hang_up=True))
    assert reason_of(await refusal(publish(both.doctor, "a", "b"))) == "OUTCOME_UNKNOWN"
    assert len(double.open_tracks(lost)) == 2
    await both.doctor.start()
    await until_closed(double, lost)


async def test_nothing_stays_at_the_provider_after_the_end(both: Call, double: CloudflareDouble) -> None:
    await answer(both.doctor, (await subscribe(both.doctor, both.patient, "sound")).offer)
    double.will("tracks/close", Fault(status=503, code="internal_error"))
    await both.doctor.end()
    for session_id in double.sessions:
        await until_closed(double, session_id)


async def until_closed(double: CloudflareDouble, session_id: str) -> None:
    async with asyncio.timeout(8):
        while double.open_tracks(session_id):  # noqa: ASYNC110 - the double sets no event
            await asyncio.sleep(0.05)


async def test_an_old_attempt_changes_nothing(both: Call) -> None:
    await both.doctor.start()
    assert reason_of(await refusal(publish(both.doctor, "a", attempt=1))) == "STALE_ATTEMPT"
    assert reason_of(await refusal(subscribe(both.doctor, both.patient, "sound", attempt=1))) == "STALE_ATTEMPT"


async def test_peer_to_peer_there_is_nobody_to_negotiate_with(call: Call) -> None:
    await call.admit()
    for wish in (
        publish(call.doctor, "a"),
        subscribe(call.doctor, call.patient, "a"),
        answer(call.doctor, description(OFFER)),
    ):
        assert reason_of(await refusal(wish)) == "NEEDS_SFU"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tracks": []}, "tracks"),
        ({"tracks": [media_pb2.LocalTrack(mid="0", name="a b")]}, "tracks[0].name"),
        ({"tracks": [media_pb2.LocalTrack(mid="", name="a")]}, "tracks[0].mid"),
        ({"tracks": [media_pb2.LocalTrack(mid="0", name="a")] * 2}, "tracks"),
        ({"offer": description(ANSWER)}, "offer.type"),
        ({"offer": signalling_pb2.SessionDescription(type=OFFER, sdp="hello")}, "offer.sdp"),
        ({"attempt": 0}, "attempt"),
        ({"request_id": "r" * 256}, "request_id"),
    ],
)
async def test_bad_tracks_are_refused_by_their_field(both: Call, changed: dict[str, object], field: str) -> None:
    assert fields_of(await refusal(publish(both.doctor, "a", **changed))) == [field]
