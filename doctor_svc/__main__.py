"""Starts the doctor service: the one place where its parts meet."""

import uvloop
from telemed.doctor.v1 import doctor_service_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import add_DoctorServiceServicer_to_server

from chassis.client import Client, open_channel
from chassis.clock import Clock, clock_from
from chassis.db import Database
from chassis.follower import Follower
from chassis.logs import start_logging
from chassis.metrics import gauge
from chassis.migrations import require_current
from chassis.process import GrpcProcess, run
from chassis.progress import Progress
from chassis.saved_answers import Forgetting
from chassis.service import framed
from chassis.settings import SharedSettings
from chassis.signals import Signal
from chassis.telemetry import start_telemetry
from chassis.tokens import ServiceIdentity
from doctor_svc.api.policy import OPEN_TO
from doctor_svc.api.servicer import DoctorServicer
from doctor_svc.app.apply_changes import ApplyChanges
from doctor_svc.app.use_cases import Surroundings, use_cases_in
from doctor_svc.peers.changes import ChangeFeed
from doctor_svc.settings import DoctorSettings, RuleSettings
from doctor_svc.storage.doctors import StoredDoctors
from doctor_svc.storage.hours import StoredHours
from doctor_svc.storage.insights import StoredInsights
from doctor_svc.storage.practices import practices_in
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.search_cache import CachedSearch
from doctor_svc.storage.sql import MIGRATIONS, QUERIES
from doctor_svc.storage.transactions import StoredTransactions
from doctor_svc.storage.visits import StoredVisits

SERVICE = doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"]


async def build(settings: DoctorSettings, rules: RuleSettings, shared: SharedSettings, clock: Clock) -> GrpcProcess:
    """The whole process, its database already connecting; to be started and stopped in the running loop."""
    database = Database(settings.database_url, size=settings.pool_size)
    await database.open()
    channel = open_channel(settings.appointment_target)
    searches = CachedSearch(StoredSearch(database), settings.database_url, settings.search_cache_ttl_seconds)
    practices, close_practices = practices_in(settings.redis_url, settings.availability_cache_ttl_seconds)
    doctors, copy, applied, progress = StoredDoctors(database), StoredVisits(database), Signal(), Progress()
    world = Surroundings(
        doctors=doctors,
        search=searches,
        hours=StoredHours(database),
        schedules=StoredSchedules(database, practices),
        insights=StoredInsights(database),
        copy=copy,
        applied=applied,
        policy=rules.policy,
        history_counts=rules.enable_history_prioritization,
        clock=clock,
    )
    servicer = DoctorServicer(use_cases_in(world), StoredTransactions(database), clock)
    feed = ChangeFeed(Client(channel, ServiceIdentity(shared.service_token_file).token), progress)
    apply = ApplyChanges(copy, progress)

    async def probe() -> None:
        await doctors.ping()
        progress.require_caught_up()

    gauge("telemed_feed_lag_changes", "Changes of the feed that this copy has not applied yet.", lambda: progress.lag)
    return framed(
        settings,
        shared,
        services=[SERVICE.full_name],
        open_to=OPEN_TO,
        register=lambda server: add_DoctorServiceServicer_to_server(servicer, server),
        probe=probe,
        work=[
            ("follow changes", Follower(apply.cursor, feed, apply, applied).run),
            ("listen for profiles", searches.follow),
            ("forget old requests", Forgetting(database, QUERIES["forget_requests"], clock).run),
        ],
        closers=[channel.close, close_practices, database.close],
    )


async def _serve(settings: DoctorSettings, shared: SharedSettings) -> None:
    await require_current(settings.database_url, MIGRATIONS)
    telemetry = start_telemetry("doctor", shared.otlp_endpoint, shared.trace_sample_ratio)
    await run(await build(settings, RuleSettings(), shared, clock_from(shared.now, shared.now_at)), telemetry)


def main() -> None:
    """Serves until told to stop."""
    shared, settings = SharedSettings(), DoctorSettings()  # type: ignore[call-arg]  # the environment fills them
    start_logging("doctor", shared.log_level, as_json=shared.log_json)
    uvloop.run(_serve(settings, shared))


if __name__ == "__main__":
    main()
