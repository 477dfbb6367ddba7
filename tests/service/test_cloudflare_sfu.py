"""Cloudflare's SFU through its published API: what is asked, and what is made of every answer."""

import asyncio

import pytest

from tests.doubles.cloudflare import CloudflareDouble
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET, Fault
from tests.fix_cloudflare import Sfu, answer_to, failure, http_to, offer_of
from video_svc.app.media_errors import MediaErrorKind
from video_svc.domain.media import (
    CloseResult,
    Direction,
    LocalTrack,
    OpenTrack,
    SdpKind,
    Topology,
    TrackFailure,
    TrackRef,
    TrackResult,
)
from video_svc.peers.cloudflare_sfu import CloudflareSfu


async def test_a_session_is_opened_without_a_body_under_a_label(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("a label/of ours")
    assert sfu.double.sessions[session_id].correlation == "a%20label%2Fof%20ours"
    assert sfu.double.calls[0][1].body == b""


async def test_what_is_published_is_answered(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    published = await sfu.publish(session_id, "camera", "microphone")
    assert published.sdp is not None
    assert (published.sdp.kind, published.must_answer) == (SdpKind.ANSWER, False)
    assert published.tracks == (TrackResult("camera", "0"), TrackResult("microphone", "1"))
    assert sfu.double.bodies("tracks/new")[0]["tracks"][0] == {"location": "local", "mid": "0", "trackName": "camera"}


async def test_a_subscription_brings_an_offer_whose_answer_ends_the_exchange(sfu: Sfu) -> None:
    doctor, patient = await sfu.publishing("camera"), await sfu.publishing("selfie")
    wanted = await sfu.subscribe(patient, doctor, "camera")
    assert wanted.must_answer
    assert wanted.tracks == (TrackResult("camera", "1", doctor),)
    await sfu.adapter.answer(patient, answer_to(wanted))
    assert not sfu.double.sessions[patient].awaits_answer
    assert await sfu.adapter.inspect(patient) == (
        OpenTrack("0", "selfie", Direction.SENT, active=True),
        OpenTrack("1", "camera", Direction.RECEIVED, active=True),
    )


async def test_two_pulls_at_once_would_be_refused_so_the_adapter_says_out_of_order(sfu: Sfu) -> None:
    doctor, patient = await sfu.publishing("camera", "screen"), await sfu.publishing("selfie")
    wanted = await sfu.subscribe(patient, doctor, "camera")
    error = await failure(sfu.subscribe(patient, doctor, "screen"))
    assert (error.kind, error.status) == (MediaErrorKind.OUT_OF_ORDER, 406)
    await sfu.adapter.answer(patient, answer_to(wanted))
    assert (await sfu.subscribe(patient, doctor, "screen")).must_answer


async def test_one_missing_track_leaves_the_others(sfu: Sfu) -> None:
    doctor, patient = await sfu.publishing("camera"), await sfu.publishing("selfie")
    wanted = await sfu.subscribe(patient, doctor, "camera", "screen")
    assert wanted.sdp is not None
    assert wanted.tracks == (
        TrackResult("camera", "1", doctor),
        TrackResult("screen", "", doctor, TrackFailure.NOT_FOUND),
    )


async def test_when_no_track_is_there_nothing_has_to_be_answered(sfu: Sfu) -> None:
    patient = await sfu.publishing("selfie")
    wanted = await sfu.subscribe(patient, "0" * 32, "camera")
    assert (wanted.sdp, wanted.must_answer) == (None, False)
    assert [track.failure for track in wanted.tracks] == [TrackFailure.NOT_FOUND]


@pytest.mark.parametrize(
    ("code", "failure_told"),
    [
        ("not_found_track_error", TrackFailure.NOT_FOUND),
        ("empty_track_error", TrackFailure.NOT_FOUND),
        ("repeated_local_track_error", TrackFailure.REPEATED),
        ("invalid_params", TrackFailure.INVALID),
        ("update_track_error", TrackFailure.INVALID),
        ("internal_error", TrackFailure.UNAVAILABLE),
        ("backend_error", TrackFailure.UNAVAILABLE),
        ("a_code_of_tomorrow", TrackFailure.UNAVAILABLE),
    ],
)
async def test_a_failed_item_in_a_good_answer_keeps_the_good_ones(
    sfu: Sfu, code: str, failure_told: TrackFailure
) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(items={"microphone": code}))
    published = await sfu.publish(session_id, "camera", "microphone")
    assert published.sdp is not None
    assert published.tracks == (TrackResult("camera", "0"), TrackResult("microphone", "1", "", failure_told))


async def test_tracks_are_closed_by_force_and_each_is_judged_by_itself(sfu: Sfu) -> None:
    session_id = await sfu.publishing("camera", "microphone")
    sfu.double.will("tracks/close", Fault(items={"1": "internal_error"}))
    assert await sfu.adapter.close_tracks(session_id, ["0", "1", "7"]) == CloseResult(("0",), ("7",), ("1",))
    assert sfu.double.open_tracks(session_id) == {"1"}
    assert await sfu.adapter.close_tracks(session_id, ["0", "1"]) == CloseResult(("1",), ("0",))


async def test_more_tracks_than_one_call_takes_are_closed_in_several(sfu: Sfu) -> None:
    session_id = await sfu.publishing("camera")
    mids = [str(number) for number in range(130)]
    assert len((await sfu.adapter.close_tracks(session_id, mids)).absent) == 129
    assert [len(body["tracks"]) for body in sfu.double.bodies("tracks/close")] == [64, 64, 2]


async def test_the_tracks_of_a_session_that_is_gone_are_closed(sfu: Sfu) -> None:
    assert await sfu.adapter.close_tracks("0" * 32, ["0"]) == CloseResult(absent=("0",))


async def test_more_tracks_than_one_call_takes_are_never_sent(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    error = await failure(sfu.subscribe(session_id, "0" * 32, *[f"track-{number}" for number in range(65)]))
    assert error.kind is MediaErrorKind.INVALID
    assert sfu.double.operations() == ["sessions/new"]


async def test_an_unknown_session_is_gone(sfu: Sfu) -> None:
    error = await failure(sfu.publish("0" * 32, "camera"))
    assert (error.kind, error.status, error.code) == (MediaErrorKind.GONE, 410, "session_error")


async def test_a_description_that_cannot_be_read_is_told(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    error = await failure(sfu.adapter.publish(session_id, offer_of(1), [LocalTrack("9", "camera")]))
    assert error.kind is MediaErrorKind.OUT_OF_ORDER


async def test_a_wrong_secret_and_a_wrong_app_are_faults_of_the_configuration(double: CloudflareDouble) -> None:
    wrong_secret = CloudflareSfu(http_to(double.base_url, "wrong"), APP_ID)
    wrong_app = CloudflareSfu(http_to(double.base_url, APP_SECRET), "nobodys")
    assert (await failure(wrong_secret.open_session("label"))).kind is MediaErrorKind.UNAUTHORISED
    assert (await failure(wrong_app.open_session("label"))).kind is MediaErrorKind.NOT_CONFIGURED
    assert double.operations() == ["sessions/new", "unknown"], "neither is worth a second try"
    for adapter in (wrong_secret, wrong_app):
        await adapter.http.close()


async def test_sessions_of_their_own_do_not_wait_for_each_other(sfu: Sfu) -> None:
    sfu.double.will("sessions/new", *[Fault(delay_seconds=0.1)] * 8)
    ids = await asyncio.gather(*(sfu.adapter.open_session("label") for _ in range(8)))
    assert len(set(ids)) == 8
    assert sfu.double.most_at_once[""] > 1


def test_what_it_can_do_is_an_sfus() -> None:
    caps = CloudflareSfu(http_to("http://127.0.0.1:9", "token"), APP_ID).caps
    assert (caps.topology, caps.server_sees_media) == (Topology.SFU, True)
    assert caps.max_participants > 2


async def test_a_subscription_names_the_publishers_session(sfu: Sfu) -> None:
    doctor, patient = await sfu.publishing("camera"), await sfu.publishing("selfie")
    await sfu.adapter.subscribe(patient, [TrackRef(doctor, "camera")])
    assert sfu.double.bodies("tracks/new")[-1] == {
        "tracks": [{"location": "remote", "sessionId": doctor, "trackName": "camera"}]
    }
