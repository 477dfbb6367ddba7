"""Starts the doctor service: the one place where its parts meet."""

import uvloop
from telemed.doctor.v1 import doctor_service_pb2, export_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import add_DoctorServiceServicer_to_server

from chassis.access_log import PostgresAccessLog
from chassis.background import periodically
from chassis.client import Client, open_channel
from chassis.clock import Clock, clock_from
from chassis.database_numbers import DatabaseNumbers
from chassis.db import Database
from chassis.follower import Follower
from chassis.logs import start_logging
from chassis.migrations import require_current
from chassis.patient_data_rpcs import patient_data_in
from chassis.process import GrpcProcess, run
from chassis.progress import Progress
from chassis.refused_settings import told_plainly
from chassis.saved_answers import Forgetting
from chassis.service import framed
from chassis.settings import SharedSettings
from chassis.telemetry import start_telemetry
from chassis.tokens import ServiceIdentity
from doctor_svc.api.audit import TOUCHES
from doctor_svc.api.export import to_record
from doctor_svc.api.policy import POLICY
from doctor_svc.api.servicer import DoctorServicer
from doctor_svc.app.apply_changes import ApplyChanges
from doctor_svc.app.count_offers import CountOffers
from doctor_svc.app.refresh_summaries import RefreshSummaries
from doctor_svc.app.use_cases import use_cases_in
from doctor_svc.peers.changes import ChangeFeed
from doctor_svc.settings import DoctorSettings, RuleSettings
from doctor_svc.storage.patient_data import PatientVisits, forget_words
from doctor_svc.storage.sql import MIGRATIONS, QUERIES
from doctor_svc.storage.summaries import StoredRefreshes, StoredSummaries
from doctor_svc.storage.transactions import StoredTransactions
from doctor_svc.storage.world import world_in

_COUNT_SECONDS = 15.0
SERVICE = doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"]


async def build(settings: DoctorSettings, rules: RuleSettings, shared: SharedSettings, clock: Clock) -> GrpcProcess:
    """The whole process, its database already connecting; to be started and stopped in the running loop."""
    database = Database(settings.database_url, size=settings.pool_size, through_pooler=settings.through_pooler)
    await database.open()
    channel = open_channel(settings.appointment_target, shared.tls)
    world, progress = world_in(database, settings, rules, clock), Progress()
    kept = world.surroundings
    access_log = PostgresAccessLog(database, clock)
    patient_data = patient_data_in(
        database,
        access_log,
        sections={"visits": PatientVisits(database)},
        forget=forget_words,
        page=export_pb2.DoctorDataPage,
        record=to_record,
    )
    servicer = DoctorServicer(use_cases_in(kept), StoredTransactions(database), patient_data, clock)
    feed = ChangeFeed(
        Client(channel, ServiceIdentity(shared.service_token_file).token, target=settings.appointment_target), progress
    )
    apply = ApplyChanges(kept.copy, progress)
    refreshes, period = StoredRefreshes(settings.direct_url), settings.summary_period
    refresh = RefreshSummaries(refreshes, kept.schedules, kept.policy, clock, period)

    async def probe() -> None:
        await database.ping()
        progress.require_caught_up()

    progress.show()
    return framed(
        settings,
        shared,
        services=[SERVICE.full_name],
        policy=POLICY,
        touches=TOUCHES,
        access_log=access_log,
        register=lambda server: add_DoctorServiceServicer_to_server(servicer, server),
        probe=probe,
        work=[
            ("follow changes", Follower(apply.cursor, feed, apply, kept.applied).run),
            ("listen for profiles", world.searches.follow),
            ("count offers", lambda: periodically(_COUNT_SECONDS, CountOffers(StoredSummaries(database), clock))),
            ("watch the database", DatabaseNumbers(database).run),
            ("forget old requests", Forgetting(database, QUERIES["forget_requests"], clock).run),
            *([("refresh summaries", refresh.run)] if period else []),
        ],
        closers=[channel.close, world.close, database.close],
    )


async def _serve(settings: DoctorSettings, shared: SharedSettings) -> None:
    await require_current(settings.direct_url, MIGRATIONS)
    telemetry = start_telemetry("doctor", shared.otlp_endpoint, shared.trace_sample_ratio)
    await run(await build(settings, RuleSettings(), shared, clock_from(shared.now, shared.now_at)), telemetry)


@told_plainly()
def main() -> None:
    """Serves until told to stop."""
    shared, settings = SharedSettings(), DoctorSettings()  # type: ignore[call-arg]  # the environment fills them
    start_logging("doctor", shared.log_level, as_json=shared.log_json, levels=shared.log_levels)
    uvloop.run(_serve(settings, shared))


if __name__ == "__main__":
    main()
