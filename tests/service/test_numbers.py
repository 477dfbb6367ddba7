"""What is counted when calls are repeated, refused and tried again; differences, for a process counts for ever."""

import math
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import grpc
from psycopg.rows import dict_row
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceServicer, add_VideoServiceServicer_to_server

from appointment_svc.app.count_month import CountMonth
from appointment_svc.app.count_now import CountNow
from appointment_svc.storage.audit import auditing, note_run
from appointment_svc.storage.counts import PostgresCounts, PostgresTurns
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.statistics import PostgresStatistics
from chassis.client import Client, open_channel
from chassis.db import Connection, Database, Session
from chassis.health import Readiness
from chassis.layers import traced
from chassis.metrics import REGISTRY
from chassis.process import GrpcProcess
from chassis.server import build_server
from chassis.signals import Signal
from kernel.errors import Unavailable
from tests.fix_ledger import TEN
from tests.fix_practice import Practice, offered
from tests.fix_services import running
from tests.refusals import refusal

VIDEO = pb.DESCRIPTOR.services_by_name["VideoService"]
GET = VIDEO.methods_by_name["GetSession"]


class Count:
    """How much one sample has risen since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = self._now()

    def _now(self) -> float:
        return REGISTRY.get_sample_value(self._name, self._labels) or 0.0

    @property
    def rise(self) -> float:
        return self._now() - self._before


async def test_a_hold_is_counted_when_it_is_made_and_when_it_is_confirmed(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    made = Count("telemed_appointment_changes_total", change="HELD", from_status="")
    confirmed = Count("telemed_appointment_changes_total", change="CONFIRMED", from_status="HELD")
    held = await practice.hold(match)
    assert (made.rise, confirmed.rise) == (1, 0)
    await practice.confirm(held.appointment.id)
    assert (made.rise, confirmed.rise) == (1, 1)


async def test_a_booking_is_counted_with_its_score_and_its_conflict_by_its_reason(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    booked = Count("telemed_bookings_total", method="Book", preferred_doctor="false")
    scores = Count("telemed_booking_match_score_sum", method="Book")
    conflicts = Count("telemed_ledger_conflicts_total", method="Book", reason="SLOT_TAKEN")
    await practice.book(match)
    await refusal(practice.book(match))
    assert (booked.rise, scores.rise, conflicts.rise) == (1, 0.5, 1)


async def test_a_repeated_call_is_counted_as_a_replay_and_not_as_a_booking(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    wish = {"patient_id": str(uuid4()), "request_id": str(uuid4())}
    booked = Count("telemed_bookings_total", method="Book", preferred_doctor="false")
    replays = Count("telemed_idempotent_replays_total", method="Book")
    await practice.book(match, **wish)
    await practice.book(match, **wish)
    assert (booked.rise, replays.rise) == (1, 1)


async def test_what_is_open_and_the_figures_of_the_month_are_shown(practice: Practice, appointment_db_url: str):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    await practice.hold(match)
    database = Database(appointment_db_url, size=1)
    await database.open()
    try:
        await CountNow(PostgresCounts(database), PostgresHolds(database, Signal(), lambda: practice.now[0]))()
    finally:
        await database.close()
    assert REGISTRY.get_sample_value("telemed_appointments_open", {"status": "HELD"}) == 1
    assert REGISTRY.get_sample_value("telemed_feed_pending_changes") is not None
    await practice.book(practice.doctors.offer(exact_slot=offered(TEN)))
    turns = PostgresTurns(appointment_db_url)
    async with turns.turn() as figures:
        assert figures is None, "the service has the turn: it counts for all of its replicas"
    month = CountMonth(turns, lambda: practice.now[0])
    async with await Connection.connect(appointment_db_url, autocommit=True, row_factory=dict_row) as connection:
        await month.count(PostgresStatistics(Session(connection, "appointment")))
    assert REGISTRY.get_sample_value("telemed_clinic_bookings", {"method": "Book"}) == 1
    assert REGISTRY.get_sample_value("telemed_clinic_booking_success_ratio", {"method": "Book"}) == 1


async def test_an_audit_that_was_noted_is_shown_with_its_faults(practice: Practice, appointment_db_url: str):
    await practice.book(practice.doctors.offer(exact_slot=offered(TEN)))
    database = Database(appointment_db_url, size=1)
    await database.open()
    count = CountNow(PostgresCounts(database), PostgresHolds(database, Signal()))
    try:
        await count()
        assert REGISTRY.get_sample_value("telemed_audit_age_seconds") == math.inf
        async with auditing(appointment_db_url) as audit:
            faults = [fault async for fault in audit.faults()]
        await note_run(appointment_db_url, audit, len(faults))
        await count()
    finally:
        await database.close()
    assert REGISTRY.get_sample_value("telemed_audit_faults") == len(faults) == 0
    assert 0 <= (REGISTRY.get_sample_value("telemed_audit_age_seconds") or 0) < math.inf


class Flaky(VideoServiceServicer):
    """Says UNAVAILABLE twice, and then answers."""

    calls = 0

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.Session:
        self.calls += 1
        if self.calls < 3:
            raise Unavailable("not now")
        return pb.Session(session_id=request.session_id)


async def test_a_call_that_was_tried_again_is_counted_on_both_sides():
    async def probe() -> None:
        return

    built = build_server([traced], services=[VIDEO.full_name])
    add_VideoServiceServicer_to_server(Flaky(), built.server)
    readiness = Readiness(built.health, probe)
    process = GrpcProcess("127.0.0.1:0", built.server, built.calls, readiness, drain_seconds=0, grace_seconds=1)
    name = f"{VIDEO.full_name}/GetSession"
    arrived = Count("telemed_rpc_server_retried_calls_total", rpc_method=name)
    tried = Count("telemed_rpc_client_retries_total", rpc_method=name)
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(running(process))
        channel: grpc.aio.Channel = open_channel(target)
        stack.push_async_callback(channel.close)
        answer = await Client(channel, target=target).unary(GET, pb.GetSessionRequest(session_id="one"), pb.Session)
    assert answer.session_id == "one"
    assert (arrived.rise, tried.rise) == (2, 2)
