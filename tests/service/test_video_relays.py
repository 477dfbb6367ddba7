"""Relays through the whole service: Cloudflare's credentials and coturn's reach whoever was let in, and nobody else."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from telemed.video.v1 import presence_pb2
from telemed.video.v1 import video_service_pb2 as pb

from tests.doubles.cloudflare import CloudflareDouble
from tests.doubles.cloudflare_calls import TURN_KEY_ID, TURN_KEY_TOKEN, Fault
from tests.fix_spans import Spans
from tests.fix_video import House, Visits
from tests.fix_video_call import Person, call_of
from tests.refusals import reason_of, refusal
from video_svc.provider_settings import CloudflareSettings


@pytest.fixture
async def relayed(video_house: House, double: CloudflareDouble) -> AsyncIterator[Visits]:
    """A video service whose relays are Cloudflare's."""
    account = CloudflareSettings(
        turn_key_id=TURN_KEY_ID, turn_key_api_token=TURN_KEY_TOKEN, realtime_base_url=double.base_url
    )
    async with video_house.service(ice_provider="cloudflare", cloudflare=account) as visits:
        yield visits


def credentials_of(answer: pb.StartSessionResponse | pb.RefreshIceResponse) -> list[tuple[str, str]]:
    return [(server.username, server.credential) for server in answer.ice_servers if server.username]


async def refresh(person: Person) -> pb.RefreshIceResponse:
    request = presence_pb2.RefreshIceRequest(session_id=person.session_id, attempt=person.attempt)
    return await person.call("RefreshIce", request)


async def test_nobody_in_the_waiting_room_gets_a_relay(relayed: Visits, double: CloudflareDouble) -> None:
    call = call_of(relayed)
    waiting = await call.patient.start()
    assert credentials_of(waiting) == []
    assert reason_of(await refusal(refresh(call.patient))) == "NOT_ADMITTED"
    assert double.credentials == {}


async def test_each_participant_gets_credentials_of_their_own_under_a_name_that_tells_nothing(
    relayed: Visits, double: CloudflareDouble
) -> None:
    call = call_of(relayed)
    doctor = await call.doctor.start()
    await call.patient.start()
    await call.doctor.decide("Admit", call.patient)
    patient = await call.patient.start()
    names = {credentials_of(one)[0][0] for one in (doctor, patient)}
    assert names == set(double.credentials)
    left = patient.ice_expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(hours=48)
    told = {body["customIdentifier"] for body in double.bodies("ice")}
    assert len(told) == 2
    assert not told & {call.patient.subject, call.doctor.subject, call.patient.visit.appointment_id}


async def test_fresh_credentials_come_during_the_call(relayed: Visits, double: CloudflareDouble) -> None:
    call = call_of(relayed)
    await call.admit()
    before = set(double.credentials)
    fresh = credentials_of(await refresh(call.patient))
    assert len(fresh) == 1
    assert fresh[0][0] not in before


async def test_a_provider_that_is_down_is_told_as_such_and_the_same_call_works_later(
    relayed: Visits, double: CloudflareDouble
) -> None:
    call = call_of(relayed)
    double.will("ice", *[Fault(503, "internal_error")] * 3)
    error = await refusal(call.doctor.start(request_id="page"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "MEDIA_UNAVAILABLE")
    assert "provider's own words" not in str(error.details())
    assert credentials_of(await call.doctor.start(request_id="page"))


async def test_no_log_and_no_span_holds_a_credential(
    relayed: Visits, caplog: pytest.LogCaptureFixture, spans: Spans
) -> None:
    with caplog.at_level(logging.DEBUG):
        started = await call_of(relayed).doctor.start()
    assert "cloudflare ice_servers" in {span.name for span in spans.all()}
    written = "\n".join(str(vars(record)) for record in caplog.records)
    told = written + str([(span.name, dict(span.attributes or {}), span.events) for span in spans.all()])
    for secret in (*credentials_of(started)[0], TURN_KEY_TOKEN, TURN_KEY_ID):
        assert secret not in told


async def test_the_clinics_own_relay_is_believed_by_the_same_secret(video_house: House) -> None:
    urls = ("turn:turn.example:3478?transport=udp",)
    async with video_house.service(ice_provider="coturn", coturn_urls=urls, coturn_secret="shared") as visits:  # noqa: S106 - of a server that is not there
        call = call_of(visits)
        assert credentials_of(await call.patient.start()) == []
        [(username, password)] = credentials_of(await call.doctor.start())
    expires, _, subject = username.partition(":")
    assert datetime.fromtimestamp(int(expires), UTC) > datetime.now(UTC)
    assert password
    assert call.doctor.subject not in subject
