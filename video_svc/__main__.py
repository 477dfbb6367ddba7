"""Starts the video service: the one place where its parts meet."""

import uvloop
from telemed.video.v1 import video_service_pb2
from telemed.video.v1.video_service_pb2_grpc import add_VideoServiceServicer_to_server

from chassis.access_log import PostgresAccessLog
from chassis.client import Client, open_channel
from chassis.clock import Clock, clock_from
from chassis.database_numbers import DatabaseNumbers
from chassis.db import Database
from chassis.follower import Follower
from chassis.listener import listen_by_name
from chassis.logs import start_logging
from chassis.migrations import require_current
from chassis.patient_data_rpcs import patient_data_in
from chassis.process import GrpcProcess, run
from chassis.progress import Progress
from chassis.refused_settings import told_plainly
from chassis.service import framed
from chassis.settings import SharedSettings
from chassis.signals import Signal, SignalBoard
from chassis.telemetry import start_telemetry
from chassis.tokens import ServiceIdentity
from video_svc.api.audit import TOUCHES
from video_svc.api.export import to_record
from video_svc.api.policy import POLICY, TAKES_TICKETS
from video_svc.api.servicer import VideoServicer
from video_svc.app.clean_up import CleanUp
from video_svc.app.connecting import Connecting
from video_svc.app.copy_visits import CopyVisits
from video_svc.app.count_visits import CountVisits
from video_svc.app.keep_time import KeepTime
from video_svc.app.negotiating import Negotiating
from video_svc.app.rate_visits import RateVisits
from video_svc.app.tell_appointments import TellAppointments
from video_svc.app.use_cases import Surroundings, use_cases
from video_svc.peers.appointments import RemoteAppointments
from video_svc.peers.changes import AppointmentChanges
from video_svc.peers.join_key import signing_key
from video_svc.peers.join_tokens import SignedJoinTokens
from video_svc.providers import providers_of
from video_svc.settings import VideoSettings
from video_svc.storage.attempts import PostgresAttempts
from video_svc.storage.outbox import PostgresOutbox
from video_svc.storage.patient_data import PatientRecords, forget_words
from video_svc.storage.qualities import PostgresQualities
from video_svc.storage.sessions import PostgresSessions
from video_svc.storage.signals import PostgresSignals
from video_svc.storage.sql import CHANNEL, MIGRATIONS
from video_svc.storage.tickets import PostgresTickets
from video_svc.storage.visit_copies import PostgresVisitCopies

SERVICES = [video_service_pb2.DESCRIPTOR.services_by_name["VideoService"].full_name]


async def build(settings: VideoSettings, shared: SharedSettings, clock: Clock) -> GrpcProcess:
    """The whole process, its database already connecting; to be started and stopped in the running loop."""
    database = Database(settings.database_url, size=settings.pool_size, through_pooler=settings.through_pooler)
    await database.open()
    channel = open_channel(settings.appointment_target, shared.tls)
    rules, copied, board, progress = settings.join_rules, Signal(), SignalBoard(), Progress()
    sessions, signals = PostgresSessions(database, rules), PostgresSignals(database)
    tickets, attempts = PostgresTickets(database), PostgresAttempts(database)
    qualities, outbox = PostgresQualities(database), PostgresOutbox(database)

    copy = CopyVisits(PostgresVisitCopies(database), progress)
    client = Client(channel, ServiceIdentity(shared.service_token_file).token, target=settings.appointment_target)
    feed = AppointmentChanges(client, progress)
    follower = Follower(copy.cursor, feed.after, copy, copied)

    providers = providers_of(settings)
    public_ice = tuple(one.to_server() for one in settings.ice_servers if not one.username)
    do = use_cases(
        Surroundings(
            sessions=sessions,
            signals=signals,
            tickets=tickets,
            qualities=qualities,
            connecting=Connecting(providers.media, providers.ice, Negotiating(attempts, clock), public_ice),
            tokens=SignedJoinTokens(signing_key(settings.join_key_file), settings.join_token_ttl),
            copied=copied,
            board=board,
            rules=rules,
            visit_page=settings.visit_page,
            clock=clock,
        )
    )
    access_log, kept = PostgresAccessLog(database, clock), PatientRecords(database, sessions)
    patient_data = patient_data_in(
        database,
        access_log,
        sections={"sessions": kept.sessions, "samples": kept.samples},
        forget=forget_words,
        page=video_service_pb2.VideoDataPage,
        record=lambda section, record, patient_id: to_record(section, record, patient_id, rules, clock()),
    )
    servicer = VideoServicer(do, patient_data, rules, clock)

    async def probe() -> None:
        await database.ping()
        progress.require_caught_up()

    progress.show()

    return framed(
        settings,
        shared,
        services=SERVICES,
        policy=POLICY,
        touches=TOUCHES,
        access_log=access_log,
        register=lambda server: add_VideoServiceServicer_to_server(servicer, server),
        probe=probe,
        work=[
            ("follow appointments", follower.run),
            ("listen for sessions", lambda: listen_by_name(settings.direct_url, CHANNEL, board)),
            ("keep time", KeepTime(sessions, signals, tickets, attempts, rules, clock).run),
            ("tell appointments", TellAppointments(outbox, RemoteAppointments(client)).run),
            ("rate visits", RateVisits(qualities).run),
            ("count", CountVisits(qualities, outbox).run),
            ("watch the database", DatabaseNumbers(database).run),
            ("clean up", CleanUp(attempts, providers.media, clock).run),
        ],
        by_ticket={TAKES_TICKETS: lambda ticket: tickets.redeem(ticket, clock())},
        closers=[channel.close, providers.close, database.close],
    )


async def _serve(settings: VideoSettings, shared: SharedSettings) -> None:
    await require_current(settings.direct_url, MIGRATIONS)
    telemetry = start_telemetry("video", shared.otlp_endpoint, shared.trace_sample_ratio)
    await run(await build(settings, shared, clock_from(shared.now, shared.now_at)), telemetry)


@told_plainly()
def main() -> None:
    """Serves until told to stop."""
    shared, settings = SharedSettings(), VideoSettings()  # type: ignore[call-arg]  # the environment fills them
    start_logging("video", shared.log_level, as_json=shared.log_json, levels=shared.log_levels)
    uvloop.run(_serve(settings, shared))


if __name__ == "__main__":
    main()
