"""Every way in which a call to Cloudflare can fail: what is tried again, what is told, and what is never said."""

import asyncio
import logging

import pytest

from chassis.context import time_limit
from chassis.metrics import REGISTRY
from tests.doubles.cloudflare import CloudflareDouble
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET, Fault
from tests.fix_cloudflare import TIMEOUT_SECONDS, Sfu, answer_to, failure, http_to
from tests.fix_spans import Spans
from video_svc.app.media_errors import MediaErrorKind
from video_svc.peers.breaker import Breaker
from video_svc.peers.cloudflare_sfu import CloudflareSfu

Kind = MediaErrorKind
STATUSES = [
    (400, "decoding_error", Kind.INVALID),
    (400, "invalid_params", Kind.INVALID),
    (401, "unauthorized", Kind.UNAUTHORISED),
    (403, "unauthorized", Kind.UNAUTHORISED),
    (404, "not_found", Kind.NOT_CONFIGURED),
    (406, "invalid_session_description", Kind.OUT_OF_ORDER),
    (406, "invalid_params", Kind.INVALID),
    (410, "session_error", Kind.GONE),
    (413, "payload_too_large", Kind.INVALID),
    (422, "", Kind.INVALID),
    (425, "session_error", Kind.NOT_READY),
]


@pytest.mark.parametrize(("status", "code", "kind"), STATUSES)
async def test_a_refusal_is_told_by_its_status_and_not_tried_again(
    sfu: Sfu, status: int, code: str, kind: MediaErrorKind
) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(status, code))
    error = await failure(sfu.publish(session_id, "camera"))
    assert (error.kind, error.status, error.code) == (kind, status, code)
    assert sfu.double.operations().count("tracks/new") == 1
    assert "provider's own words" not in str(error)


@pytest.mark.parametrize(
    "code",
    [
        "retryable_transient_error",
        "temporarily_unavailable_error",
        "transport_unavailable_error",
        "backend_error",
        "internal_error",
    ],
)
async def test_a_fault_of_theirs_is_tried_three_times_where_a_repeat_does_no_harm(sfu: Sfu, code: str) -> None:
    sfu.double.will("sessions/new", Fault(503, code), Fault(500, code))
    assert await sfu.adapter.open_session("label")
    sfu.double.will("sessions/new", *[Fault(503, code)] * 3)
    error = await failure(sfu.adapter.open_session("label"))
    assert (error.kind, error.status, error.code) == (Kind.UNAVAILABLE, 503, code)
    assert sfu.double.operations() == ["sessions/new"] * 6


async def test_a_fault_of_theirs_that_did_nothing_is_safe_to_repeat_for_the_caller(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(500, "internal_error"))
    error = await failure(sfu.publish(session_id, "camera"))
    assert error.kind is Kind.UNAVAILABLE
    assert sfu.double.operations() == ["sessions/new", "tracks/new", "inspect"]
    assert (await sfu.publish(session_id, "camera")).tracks[0].is_good


async def test_a_fault_of_theirs_after_the_effect_loses_the_attempt(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(500, "internal_error", after_effect=True))
    error = await failure(sfu.publish(session_id, "camera"))
    assert (error.kind, error.loses_attempt) == (Kind.OUTCOME_UNKNOWN, True)


async def test_a_fault_of_theirs_that_cannot_be_looked_into_loses_the_attempt(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(502))
    sfu.double.will("inspect", *[Fault(502)] * 3)
    assert (await failure(sfu.publish(session_id, "camera"))).kind is Kind.OUTCOME_UNKNOWN


@pytest.mark.parametrize(
    "fault",
    [
        Fault(silent=True),
        Fault(hang_up=True),
        Fault(cut=0.5),
        Fault(answer={"tracks": [{"trackName": "camera", "mid": "0"}]}),
        Fault(answer={"errorCode": "internal_error"}),
    ],
    ids=["no answer", "hung up", "half an answer", "no description", "an error without a status"],
)
async def test_a_lost_answer_leaves_the_outcome_unknown_and_nothing_is_sent_twice(hasty: Sfu, fault: Fault) -> None:
    session_id = await hasty.adapter.open_session("label")
    hasty.double.will("tracks/new", fault)
    assert (await failure(hasty.publish(session_id, "camera"))).kind is Kind.OUTCOME_UNKNOWN
    assert hasty.double.operations().count("tracks/new") == 1


async def test_after_a_lost_answer_a_new_session_takes_over_and_the_old_tracks_are_closed(hasty: Sfu) -> None:
    doctor, old = await hasty.publishing("camera"), await hasty.publishing("selfie")
    hasty.double.will("tracks/new", Fault(silent=True))
    error = await failure(hasty.subscribe(old, doctor, "camera"))
    assert error.loses_attempt

    left = [track.mid for track in await hasty.adapter.inspect(old) if track.active]
    assert left == ["0", "1"], "the lost call had its effect"
    assert (await hasty.adapter.close_tracks(old, left)).closed == ("0", "1")
    assert hasty.double.open_tracks(old) == set()

    new = await hasty.publishing("selfie")
    wanted = await hasty.subscribe(new, doctor, "camera")
    await hasty.adapter.answer(new, answer_to(wanted))
    assert hasty.double.open_tracks(new) == {"0", "1"}


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(503), Fault(cut=0.5)], ids=["silent", "503", "cut"])
async def test_an_answer_is_never_handed_in_twice(hasty: Sfu, fault: Fault) -> None:
    doctor, patient = await hasty.publishing("camera"), await hasty.publishing("selfie")
    wanted = await hasty.subscribe(patient, doctor, "camera")
    if fault.cut is not None:
        fault = Fault(cut=0.5, answer={"some": "answer of more than no bytes"})
    hasty.double.will("renegotiate", fault)
    assert (await failure(hasty.adapter.answer(patient, answer_to(wanted)))).kind is Kind.OUTCOME_UNKNOWN
    assert hasty.double.operations().count("renegotiate") == 1


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(hang_up=True), Fault(500)], ids=["silent", "cut", "500"])
async def test_closing_and_looking_are_tried_again(hasty: Sfu, fault: Fault) -> None:
    session_id = await hasty.publishing("camera")
    hasty.double.will("inspect", fault)
    hasty.double.will("tracks/close", fault, Fault(503, after_effect=True))
    assert len(await hasty.adapter.inspect(session_id)) == 1
    result = await hasty.adapter.close_tracks(session_id, ["0"])
    assert result.closed + result.absent == ("0",)
    assert result.failed == ()


async def test_throttling_is_waited_out_as_long_as_they_ask(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(429, retry_after="0.05"))
    started = asyncio.get_running_loop().time()
    assert (await sfu.publish(session_id, "camera")).tracks[0].is_good
    assert asyncio.get_running_loop().time() - started >= 0.05


async def test_throttling_longer_than_a_caller_can_wait_is_told_with_the_time(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(429, retry_after="30"))
    error = await failure(sfu.publish(session_id, "camera"))
    assert (error.kind, error.retry_after_seconds) == (Kind.THROTTLED, 30.0)
    assert sfu.double.operations().count("tracks/new") == 1


async def test_nobody_at_the_address_is_unavailable_and_no_unknown_outcome() -> None:
    adapter = CloudflareSfu(http_to("http://127.0.0.1:9/v1", APP_SECRET), APP_ID)
    for call in (adapter.open_session("label"), adapter.inspect("0" * 32), Sfu(None, adapter).publish("0" * 32, "c")):
        assert (await failure(call)).kind is Kind.UNAVAILABLE
    await adapter.http.close()


async def test_no_call_outlives_the_callers_deadline(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(silent=True))
    started = asyncio.get_running_loop().time()
    with time_limit(0.4):
        assert (await failure(sfu.publish(session_id, "camera"))).kind is Kind.OUTCOME_UNKNOWN
    assert asyncio.get_running_loop().time() - started < TIMEOUT_SECONDS / 2


async def test_an_error_that_comes_with_success_is_an_error(sfu: Sfu) -> None:
    session_id = await sfu.adapter.open_session("label")
    for code, kind in (("session_error", Kind.GONE), ("invalid_session_description", Kind.OUT_OF_ORDER)):
        sfu.double.will("tracks/new", Fault(answer={"errorCode": code, "errorDescription": "words"}))
        assert (await failure(sfu.publish(session_id, "camera"))).kind is kind


@pytest.mark.parametrize("answer", [[], "text", 7, {}, {"sessionId": 7}, {"sessionId": ""}])
async def test_an_answer_of_another_shape_is_no_session(sfu: Sfu, answer: object) -> None:
    sfu.double.will("sessions/new", Fault(201, answer=answer))
    assert (await failure(sfu.adapter.open_session("label"))).kind is Kind.UNAVAILABLE


@pytest.mark.parametrize(
    "answer", [[], {"tracks": {}}, {"tracks": [None, 7]}, {"tracks": None, "sessionDescription": []}]
)
async def test_tracks_that_the_answer_does_not_mention_are_not_there(sfu: Sfu, answer: object) -> None:
    session_id = await sfu.adapter.open_session("label")
    sfu.double.will("tracks/new", Fault(answer=answer))
    published = await sfu.publish(session_id, "camera")
    assert (published.sdp, [track.is_good for track in published.tracks]) == (None, [False])
    sfu.double.will("tracks/close", Fault(answer=answer))
    assert (await sfu.adapter.close_tracks(session_id, ["0"])).failed == ("0",)


async def test_a_dead_provider_is_left_alone_and_found_again_by_one_call(double: CloudflareDouble) -> None:
    breaker = Breaker(most_failures=3, pause_seconds=0.5)
    adapter = CloudflareSfu(http_to(double.base_url, APP_SECRET, breaker), APP_ID)
    double.will("sessions/new", *[Fault(503)] * 3)
    await failure(adapter.open_session("label"))
    error = await failure(adapter.open_session("label"))
    assert (error.kind, error.code, len(double.calls)) == (Kind.UNAVAILABLE, "breaker_open", 3)
    await asyncio.sleep(0.55)
    assert await adapter.open_session("label")
    assert await adapter.open_session("label")
    await adapter.http.close()


async def test_refusals_never_open_the_breaker(double: CloudflareDouble) -> None:
    adapter = CloudflareSfu(http_to(double.base_url, APP_SECRET, Breaker(most_failures=2)), APP_ID)
    double.will("inspect", *[Fault(410, "session_error")] * 5)
    for _ in range(5):
        assert (await failure(adapter.inspect("0" * 32))).kind is Kind.GONE
    assert await adapter.open_session("label")
    await adapter.http.close()


async def test_health_tells_of_the_last_calls_and_makes_none(sfu: Sfu) -> None:
    fresh = await sfu.adapter.health()
    assert (fresh.is_configured, fresh.last_success, fresh.last_error) == (True, None, "")
    await sfu.adapter.open_session("label")
    good = await sfu.adapter.health()
    assert good.last_success is not None
    sfu.double.will("sessions/new", *[Fault(503)] * 3)
    await failure(sfu.adapter.open_session("label"))
    bad = await sfu.adapter.health()
    assert (bad.last_success, bad.last_error) == (good.last_success, "UNAVAILABLE")
    assert sfu.double.operations() == ["sessions/new"] * 4


async def test_connections_are_kept_alive(double: CloudflareDouble) -> None:
    adapter = CloudflareSfu(http_to(double.base_url, APP_SECRET), APP_ID)
    for _ in range(10):
        await adapter.open_session("label")
    assert double.server.connections == 1
    await adapter.http.close()


async def _whole_call(sfu: Sfu) -> list[str]:
    doctor, patient = await sfu.publishing("secret-camera"), await sfu.publishing("secret-selfie")
    await sfu.adapter.answer(patient, answer_to(await sfu.subscribe(patient, doctor, "secret-camera")))
    sfu.double.will("tracks/close", *[Fault(503, "internal_error")] * 3)
    await failure(sfu.adapter.close_tracks(patient, ["0"]))
    return [doctor, patient]


async def test_a_call_has_a_span_that_names_operation_and_outcome_and_nobody(sfu: Sfu, spans: Spans) -> None:
    ids = await _whole_call(sfu)
    # Background work of other tests' services may be seen here too; it says nothing of calls to the provider.
    calls = [span for span in spans.all() if (span.attributes or {}).get("video.provider")]
    assert [span.name for span in calls] == [
        "cloudflare open_session",
        "cloudflare publish",
        "cloudflare open_session",
        "cloudflare publish",
        "cloudflare subscribe",
        "cloudflare answer",
        "cloudflare close_tracks",
    ]
    last = dict(calls[-1].attributes or {})
    assert last == {
        "video.provider": "cloudflare",
        "video.operation": "close_tracks",
        "http.request.method": "PUT",
        "http.response.status_code": 503,
        "http.request.resend_count": 2,
        "error.type": "UNAVAILABLE",
    }
    told = " ".join(str(span.attributes) + str(span.events) + span.name for span in calls)
    for secret in (*ids, APP_ID, APP_SECRET, "secret-camera", "v=0", "provider's own words"):
        assert secret not in told


async def test_calls_are_measured_by_operation_and_outcome(sfu: Sfu) -> None:
    def counted(error_type: str) -> float:
        labels = {"video_provider": "cloudflare", "video_operation": "close_tracks", "error_type": error_type}
        return REGISTRY.get_sample_value("telemed_video_provider_call_duration_seconds_count", labels) or 0

    before = counted("UNAVAILABLE")
    await _whole_call(sfu)
    assert counted("UNAVAILABLE") == before + 1


async def test_nothing_of_a_call_is_logged(sfu: Sfu, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await _whole_call(sfu)
    assert [record.name for record in caplog.records if record.name.startswith("http")] == []
