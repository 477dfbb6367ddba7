"""Quality over gRPC: what browsers report, what the visit is rated, and who may know."""

from typing import Any
from uuid import uuid4

import pytest
from telemed.video.v1 import quality_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from tests.fix_video import AS_DOCTOR, AS_PATIENT, Visits
from tests.fix_video_call import Call, Person
from tests.refusals import fields_of, reason_of, refusal


def sample(number: int, **changed: Any) -> quality_pb2.QualitySample:
    good = {"seconds": 15, "round_trip_ms": 40, "jitter_ms": 5, "bitrate_kbps": 900}
    return quality_pb2.QualitySample(number=number, **(good | changed))


async def report(person: Person, *samples: quality_pb2.QualitySample, attempt: int | None = None) -> float:
    request = quality_pb2.ReportQualityRequest(
        session_id=person.session_id, attempt=person.attempt if attempt is None else attempt, samples=samples
    )
    return (await person.call("ReportQuality", request)).mean_opinion_score


async def stats(person: Person) -> pb.SessionStats:
    return await person.call("GetSessionStats", quality_pb2.GetSessionStatsRequest(session_id=person.session_id))


async def test_a_report_answers_the_score_of_its_newest_sample(call: Call) -> None:
    await call.connect()
    assert await report(call.patient, sample(2, loss_percent=30), sample(3)) == pytest.approx(4.39, abs=0.005)


async def test_the_numbers_of_a_visit_are_told_so_far_and_in_the_end(call: Call, visits: Visits) -> None:
    await call.connect()
    assert (await stats(call.doctor)).quality_rating == 0
    await report(call.patient, sample(1), sample(2, loss_percent=10))
    await report(call.doctor, sample(1), sample(2), sample(3, round_trip_ms=800))
    await report(call.doctor, sample(1, loss_percent=100))  # its number was heard before
    found = await stats(call.doctor)
    assert found.quality_rating == 5
    assert [(one.participant_type, one.issue, one.seconds) for one in found.troubles] == [
        (AS_DOCTOR, quality_pb2.CONNECTION_ISSUE_HIGH_LATENCY, 15),
        (AS_PATIENT, quality_pb2.CONNECTION_ISSUE_PACKET_LOSS, 15),
    ]
    patient, doctor = found.participants
    assert (patient.measured_seconds, patient.average_loss_percent) == (30, 5)
    assert doctor.average_round_trip_ms == pytest.approx((40 + 40 + 800) / 3)

    await call.doctor.end()
    session = await visits.until(call.doctor.session_id, lambda session: session.quality_rating > 0)
    assert session.quality_rating == 5
    assert list(session.connection_issues) == [
        quality_pb2.CONNECTION_ISSUE_HIGH_LATENCY,
        quality_pb2.CONNECTION_ISSUE_PACKET_LOSS,
    ]


async def test_watchers_are_told_the_rating(call: Call) -> None:
    await call.connect()
    await report(call.patient, sample(1, loss_percent=20))
    await call.doctor.end()
    await call.doctor.hear(lambda heard: heard[-1].session.quality_rating == 1)


async def test_a_visit_that_the_appointment_ended_is_rated_too(call: Call, visits: Visits) -> None:
    await call.connect()
    await report(call.patient, sample(1))
    visits.feed.tell(call.patient.visit, "COMPLETED", version=2)
    session = await visits.until(call.doctor.session_id, lambda session: session.quality_rating > 0)
    assert (session.state, session.end_reason) == (pb.SESSION_STATE_ENDED, pb.END_REASON_UNSPECIFIED)


async def test_a_bad_sample_is_refused_by_its_field_and_nothing_is_kept(call: Call) -> None:
    await call.connect()
    for bad, field in ((sample(2, loss_percent=101), "loss_percent"), (sample(2, seconds=float("nan")), "seconds")):
        assert fields_of(await refusal(report(call.patient, sample(1), bad))) == [f"samples[1].{field}"]
    assert fields_of(await refusal(report(call.patient))) == ["samples"]
    assert (await stats(call.patient)).quality_rating == 0


async def test_only_the_current_attempt_of_somebody_admitted_reports(call: Call) -> None:
    await call.patient.start()
    assert reason_of(await refusal(report(call.patient, sample(1), attempt=1))) == "NOT_ADMITTED"
    await call.connect()
    await call.patient.start()
    assert reason_of(await refusal(report(call.patient, sample(1), attempt=1))) == "STALE_ATTEMPT"
    stranger = Person(call.patient.visits, call.patient.visit, Role.PATIENT, str(uuid4()), call.patient.session_id)
    assert reason_of(await refusal(report(stranger, sample(1), attempt=2))) == "SESSION_NOT_FOUND"
    assert reason_of(await refusal(stats(stranger))) == "SESSION_NOT_FOUND"
