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
from chassis.service import framed
from chassis.settings import SharedSettings
from chassis.signals import Signal
from chassis.telemetry import start_telemetry
from chassis.tokens import ServiceIdentity
from doctor_svc.api.policy import OPEN_TO
from doctor_svc.api.servicer import DoctorServicer, UseCases
from doctor_svc.app.activate_doctor import ActivateDoctor
from doctor_svc.app.apply_changes import ApplyChanges
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.create_doctor import CreateDoctor
from doctor_svc.app.create_override import CreateOverride
from doctor_svc.app.deactivate_doctor import DeactivateDoctor
from doctor_svc.app.delete_availability import DeleteAvailability
from doctor_svc.app.delete_override import DeleteOverride
from doctor_svc.app.get_availability import GetAvailability
from doctor_svc.app.get_doctor import GetDoctor
from doctor_svc.app.list_availability_rules import ListAvailabilityRules
from doctor_svc.app.list_overrides import ListOverrides
from doctor_svc.app.list_slots import ListSlots
from doctor_svc.app.match_doctors import MatchDoctors
from doctor_svc.app.preview_availability import PreviewAvailability
from doctor_svc.app.recommend_doctors import RecommendDoctors
from doctor_svc.app.search_availability import SearchAvailability
from doctor_svc.app.search_doctors import SearchDoctors
from doctor_svc.app.set_availability import SetAvailability
from doctor_svc.app.update_availability import UpdateAvailability
from doctor_svc.app.update_doctor import UpdateDoctor
from doctor_svc.app.verify_doctor import VerifyDoctor
from doctor_svc.peers.changes import ChangeFeed
from doctor_svc.settings import DoctorSettings, RuleSettings
from doctor_svc.storage.doctors import StoredDoctors
from doctor_svc.storage.hours import StoredHours
from doctor_svc.storage.insights import StoredInsights
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.search_cache import CachedSearch
from doctor_svc.storage.sql import MIGRATIONS
from doctor_svc.storage.transactions import StoredTransactions
from doctor_svc.storage.visits import StoredVisits

SERVICES = [doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"].full_name]


async def build(settings: DoctorSettings, rules: RuleSettings, shared: SharedSettings, clock: Clock) -> GrpcProcess:
    """The whole process, its database already connecting; to be started and stopped in the running loop."""
    database = Database(settings.database_url, size=settings.pool_size)
    await database.open()
    channel = open_channel(settings.appointment_target)
    searches = CachedSearch(StoredSearch(database), settings.database_url, settings.search_cache_ttl_seconds)
    doctors, schedules = StoredDoctors(database), StoredSchedules(database)
    hours = StoredHours(database)
    copy, applied, progress = StoredVisits(database), Signal(), Progress()
    policy, await_revision = rules.policy, AwaitRevision(copy, applied)
    use_cases = UseCases(
        create_doctor=CreateDoctor(clock),
        get_doctor=GetDoctor(doctors),
        update_doctor=UpdateDoctor(clock),
        deactivate_doctor=DeactivateDoctor(clock),
        activate_doctor=ActivateDoctor(clock),
        verify_doctor=VerifyDoctor(clock),
        search_doctors=SearchDoctors(searches),
        set_availability=SetAvailability(clock),
        list_availability_rules=ListAvailabilityRules(hours),
        update_availability=UpdateAvailability(),
        delete_availability=DeleteAvailability(),
        create_override=CreateOverride(clock),
        list_overrides=ListOverrides(hours),
        delete_override=DeleteOverride(),
        get_availability=GetAvailability(schedules, await_revision, policy, clock),
        list_slots=ListSlots(schedules, await_revision, policy, clock),
        search_availability=SearchAvailability(schedules, await_revision, policy, clock),
        preview_availability=PreviewAvailability(),
        match_doctors=MatchDoctors(schedules, await_revision, policy, rules.enable_history_prioritization, clock),
        recommend_doctors=RecommendDoctors(
            StoredInsights(database), await_revision, rules.enable_history_prioritization
        ),
    )
    apply = ApplyChanges(copy, progress)
    feed = ChangeFeed(Client(channel, ServiceIdentity(shared.service_token_file).token), progress)
    servicer = DoctorServicer(use_cases, StoredTransactions(database), clock)

    async def probe() -> None:
        await doctors.ping()
        progress.require_caught_up()

    gauge("telemed_feed_lag_changes", "Changes of the feed that this copy has not applied yet.", lambda: progress.lag)

    return framed(
        settings,
        shared,
        services=SERVICES,
        open_to=OPEN_TO,
        register=lambda server: add_DoctorServiceServicer_to_server(servicer, server),
        probe=probe,
        work=[
            ("follow changes", Follower(apply.cursor, feed, apply, applied).run),
            ("listen for profiles", searches.follow),
        ],
        closers=[channel.close, database.close],
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
