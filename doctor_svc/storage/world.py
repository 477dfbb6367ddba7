"""What the use cases need and this service keeps, all over one database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.db import Database
from chassis.signals import Signal
from doctor_svc.app.use_cases import Surroundings
from doctor_svc.settings import DoctorSettings, RuleSettings
from doctor_svc.storage.doctors import StoredDoctors
from doctor_svc.storage.hours import StoredHours
from doctor_svc.storage.insights import StoredInsights
from doctor_svc.storage.practices import practices_in
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.search_cache import CachedSearch
from doctor_svc.storage.summaries import StoredSummaries
from doctor_svc.storage.visits import StoredVisits


@dataclass(frozen=True, slots=True)
class World:
    """The surroundings of the use cases; `searches` wants to follow the database, `close` lets go of the rest."""

    surroundings: Surroundings
    searches: CachedSearch
    close: Callable[[], Awaitable[None]]


def world_in(database: Database, settings: DoctorSettings, rules: RuleSettings, clock: Clock) -> World:
    """The stores over a database, as the settings have them."""
    searches = CachedSearch(StoredSearch(database), settings.direct_url, settings.search_cache_ttl_seconds)
    practices, close_practices = practices_in(settings.redis_url, settings.availability_cache_ttl_seconds)
    surroundings = Surroundings(
        doctors=StoredDoctors(database),
        search=searches,
        hours=StoredHours(database),
        schedules=StoredSchedules(database, practices),
        insights=StoredInsights(database),
        summaries=StoredSummaries(database),
        copy=StoredVisits(database),
        applied=Signal(),
        policy=rules.policy,
        history_counts=rules.enable_history_prioritization,
        clock=clock,
    )
    return World(surroundings, searches, close_practices)
