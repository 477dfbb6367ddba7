"""Starts the appointment service: the one place where its parts meet."""

from functools import partial

import uvloop
from telemed.appointment.v1 import appointment_service_pb2, export_pb2
from telemed.appointment.v1.appointment_service_pb2_grpc import add_AppointmentServiceServicer_to_server

from appointment_svc.api.audit import TOUCHES
from appointment_svc.api.export import to_record
from appointment_svc.api.policy import POLICY
from appointment_svc.api.replies import error_details
from appointment_svc.api.servicer import AppointmentServicer, UseCases
from appointment_svc.app.approve_appointment import ApproveAppointment
from appointment_svc.app.book import Book
from appointment_svc.app.book_overriding import BookOverriding
from appointment_svc.app.booking import Bookkeeper
from appointment_svc.app.cancel_appointment import CancelAppointment
from appointment_svc.app.check_conflicts import CheckConflicts
from appointment_svc.app.complete_appointment import CompleteAppointment
from appointment_svc.app.confirm_hold import ConfirmHold
from appointment_svc.app.count_month import CountMonth
from appointment_svc.app.count_now import CountNow
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.get_appointment import GetAppointment
from appointment_svc.app.get_booking_analytics import GetBookingAnalytics
from appointment_svc.app.get_stats import GetStats
from appointment_svc.app.hold_slot import HoldSlot
from appointment_svc.app.let_time_pass import LetTimePass
from appointment_svc.app.list_appointments import ListAppointments
from appointment_svc.app.list_events import ListEvents
from appointment_svc.app.mark_no_show import MarkNoShow
from appointment_svc.app.overriding import Overriding
from appointment_svc.app.rate_visit import RateVisit
from appointment_svc.app.record_arrival import RecordArrival
from appointment_svc.app.reschedule_appointment import RescheduleAppointment
from appointment_svc.app.reschedule_overriding import RescheduleOverriding
from appointment_svc.app.smart_book import SmartBook
from appointment_svc.app.start_appointment import StartAppointment
from appointment_svc.app.watch_changes import WatchChanges
from appointment_svc.domain.rules import Rules
from appointment_svc.domain.timeouts import timeouts
from appointment_svc.peers.doctors import GrpcDoctors
from appointment_svc.settings import AppointmentSettings, RuleSettings
from appointment_svc.storage.appointments import PostgresAppointments
from appointment_svc.storage.counts import PostgresCounts, PostgresTurns
from appointment_svc.storage.diaries import PostgresDiaries
from appointment_svc.storage.feed import CHANNEL, PostgresFeed, Sequencer
from appointment_svc.storage.history import PostgresHistory
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.ledger import PostgresLedger
from appointment_svc.storage.live_feed import LiveFeed
from appointment_svc.storage.patient_data import PatientRecords, forget_words
from appointment_svc.storage.rows import MIGRATIONS, QUERIES
from appointment_svc.storage.statistics import PostgresStatistics
from appointment_svc.storage.timeouts import PostgresTimeouts
from chassis.access_log import PostgresAccessLog
from chassis.background import periodically
from chassis.client import Client, open_channel
from chassis.clock import Clock, clock_from
from chassis.database_numbers import DatabaseNumbers
from chassis.db import Database
from chassis.listener import listen
from chassis.logs import start_logging
from chassis.metrics import gauge
from chassis.migrations import require_current
from chassis.patient_data_rpcs import patient_data_in
from chassis.process import GrpcProcess, run
from chassis.refused_settings import told_plainly
from chassis.saved_answers import Forgetting
from chassis.service import framed
from chassis.settings import SharedSettings
from chassis.signals import Signal
from chassis.telemetry import start_telemetry

_HOUR = 3600.0
_COUNT_SECONDS = 5.0
SERVICES = [appointment_service_pb2.DESCRIPTOR.services_by_name["AppointmentService"].full_name]


async def build(settings: AppointmentSettings, rules: Rules, shared: SharedSettings, clock: Clock) -> GrpcProcess:
    """The whole process, its database already connecting; to be started and stopped in the running loop."""
    database = Database(settings.database_url, size=settings.pool_size, through_pooler=settings.through_pooler)
    await database.open()
    channel = open_channel(settings.doctor_target, shared.tls)
    doctors = GrpcDoctors(Client(channel, target=settings.doctor_target))
    committed, grown = Signal(), Signal()
    holds = PostgresHolds(database, committed, clock)
    appointments = PostgresAppointments(database, committed, holds)
    passing = PostgresTimeouts(database, committed)
    feed = PostgresFeed(database)
    live_feed = LiveFeed(feed, grown)
    gauge("telemed_feed_head_changes", "Changes of the feed, as this process knows it.", lambda: live_feed.head)
    ledger = PostgresLedger(database, committed, holds)
    diaries = PostgresDiaries(database, clock)
    explain = Explainer(doctors, diaries, rules, clock)
    bookkeeper = Bookkeeper(ledger, clock, rules)
    book = Book(bookkeeper, doctors, explain, clock, rules)
    overriding = Overriding(doctors, explain, clock, rules)
    statistics = PostgresStatistics(database)
    app = UseCases(
        smart_book=SmartBook(bookkeeper, doctors, diaries, explain, clock, rules),
        book=book,
        book_overriding=BookOverriding(bookkeeper, overriding, explain),
        hold_slot=HoldSlot(book),
        confirm_hold=ConfirmHold(appointments, holds),
        get_appointment=GetAppointment(appointments),
        list_appointments=ListAppointments(appointments),
        cancel_appointment=CancelAppointment(appointments, clock, rules),
        reschedule_appointment=RescheduleAppointment(appointments, doctors, explain, clock, rules),
        reschedule_overriding=RescheduleOverriding(appointments, overriding, explain, clock, rules),
        approve_appointment=ApproveAppointment(appointments, clock),
        record_arrival=RecordArrival(appointments, clock),
        rate_visit=RateVisit(appointments, clock),
        start_appointment=StartAppointment(appointments, clock),
        complete_appointment=CompleteAppointment(appointments, clock),
        mark_no_show=MarkNoShow(appointments, clock),
        check_conflicts=CheckConflicts(doctors, diaries, rules, clock),
        list_events=ListEvents(appointments, PostgresHistory(database)),
        get_stats=GetStats(statistics),
        get_booking_analytics=GetBookingAnalytics(statistics, clock),
        watch_changes=WatchChanges(live_feed, grown),
    )
    access_log, kept = PostgresAccessLog(database, clock), PatientRecords(database, appointments)
    patient_data = patient_data_in(
        database,
        access_log,
        sections={"appointments": kept.appointments, "claims": kept.claims, "events": kept.events},
        forget=forget_words,
        page=export_pb2.AppointmentDataPage,
        record=to_record,
    )
    servicer = AppointmentServicer(app, patient_data)
    return framed(
        settings,
        shared,
        services=SERVICES,
        policy=POLICY,
        touches=TOUCHES,
        access_log=access_log,
        register=lambda server: add_AppointmentServiceServicer_to_server(servicer, server),
        probe=database.ping,
        work=[
            ("sequence events", Sequencer(database, committed, grown).run),
            *(
                (timeout.name, partial(periodically, settings.clock_seconds, LetTimePass(passing, holds, timeout)))
                for timeout in timeouts(rules)
            ),
            ("forget old requests", Forgetting(database, QUERIES["forget_requests"], clock).run),
            ("read the feed", live_feed.run),
            ("note the head of the history", lambda: periodically(_HOUR, feed.note_head)),
            ("count what is open", partial(periodically, _COUNT_SECONDS, CountNow(PostgresCounts(database), holds))),
            ("count the month", CountMonth(PostgresTurns(settings.direct_url), clock).run),
            ("watch the database", DatabaseNumbers(database).run),
            ("listen for the feed", lambda: listen(settings.direct_url, CHANNEL, grown)),
        ],
        closers=[channel.close, database.close],
        render=error_details,
    )


async def _serve(settings: AppointmentSettings, shared: SharedSettings) -> None:
    await require_current(settings.direct_url, MIGRATIONS)
    telemetry = start_telemetry("appointment", shared.otlp_endpoint, shared.trace_sample_ratio)
    clock = clock_from(shared.now, shared.now_at)
    await run(await build(settings, RuleSettings().rules(), shared, clock), telemetry)


@told_plainly()
def main() -> None:
    """Serves until told to stop."""
    shared, settings = SharedSettings(), AppointmentSettings()  # type: ignore[call-arg]  # the environment fills them
    start_logging("appointment", shared.log_level, as_json=shared.log_json, levels=shared.log_levels)
    uvloop.run(_serve(settings, shared))


if __name__ == "__main__":
    main()
