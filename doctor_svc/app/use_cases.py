"""Everything that the service can do, put together from what it needs from outside."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.signals import Signal
from doctor_svc.app.activate_doctor import ActivateDoctor
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.create_doctor import CreateDoctor
from doctor_svc.app.create_override import CreateOverride
from doctor_svc.app.deactivate_doctor import DeactivateDoctor
from doctor_svc.app.delete_availability import DeleteAvailability
from doctor_svc.app.delete_override import DeleteOverride
from doctor_svc.app.get_availability import GetAvailability
from doctor_svc.app.get_doctor import GetDoctor
from doctor_svc.app.get_doctor_stats import GetDoctorStats
from doctor_svc.app.list_availability_rules import ListAvailabilityRules
from doctor_svc.app.list_availability_summaries import ListAvailabilitySummaries
from doctor_svc.app.list_overrides import ListOverrides
from doctor_svc.app.list_slots import ListSlots
from doctor_svc.app.match_doctors import MatchDoctors
from doctor_svc.app.ports import Doctors, DoctorSearch, Hours, Insights, Schedules, Summaries, VisitCopy
from doctor_svc.app.preview_availability import PreviewAvailability
from doctor_svc.app.recommend_doctors import RecommendDoctors
from doctor_svc.app.search_availability import SearchAvailability
from doctor_svc.app.search_doctors import SearchDoctors
from doctor_svc.app.set_availability import SetAvailability
from doctor_svc.app.update_availability import UpdateAvailability
from doctor_svc.app.update_doctor import UpdateDoctor
from doctor_svc.app.verify_doctor import VerifyDoctor
from doctor_svc.domain.window import BookingPolicy


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the use cases need. `applied` fires after each batch of changes that this process has copied.

    `history_counts` is the clinic's own switch for patients' history in matches.
    """

    doctors: Doctors
    search: DoctorSearch
    hours: Hours
    schedules: Schedules
    insights: Insights
    summaries: Summaries
    copy: VisitCopy
    applied: Signal
    policy: BookingPolicy
    history_counts: bool
    clock: Clock


@dataclass(frozen=True, slots=True)
class UseCases:
    """The use cases."""

    create_doctor: CreateDoctor
    get_doctor: GetDoctor
    update_doctor: UpdateDoctor
    deactivate_doctor: DeactivateDoctor
    activate_doctor: ActivateDoctor
    verify_doctor: VerifyDoctor
    search_doctors: SearchDoctors
    set_availability: SetAvailability
    list_availability_rules: ListAvailabilityRules
    update_availability: UpdateAvailability
    delete_availability: DeleteAvailability
    create_override: CreateOverride
    list_overrides: ListOverrides
    delete_override: DeleteOverride
    get_availability: GetAvailability
    list_slots: ListSlots
    search_availability: SearchAvailability
    preview_availability: PreviewAvailability
    match_doctors: MatchDoctors
    recommend_doctors: RecommendDoctors
    get_doctor_stats: GetDoctorStats
    list_availability_summaries: ListAvailabilitySummaries


def use_cases_in(world: Surroundings) -> UseCases:
    """The use cases, ready to be called."""
    clock, policy, schedules = world.clock, world.policy, world.schedules
    await_revision = AwaitRevision(world.copy, world.applied)
    return UseCases(
        create_doctor=CreateDoctor(clock),
        get_doctor=GetDoctor(world.doctors),
        update_doctor=UpdateDoctor(clock),
        deactivate_doctor=DeactivateDoctor(clock),
        activate_doctor=ActivateDoctor(clock),
        verify_doctor=VerifyDoctor(clock),
        search_doctors=SearchDoctors(world.search, schedules, policy, clock),
        set_availability=SetAvailability(clock),
        list_availability_rules=ListAvailabilityRules(world.hours),
        update_availability=UpdateAvailability(),
        delete_availability=DeleteAvailability(),
        create_override=CreateOverride(clock),
        list_overrides=ListOverrides(world.hours),
        delete_override=DeleteOverride(),
        get_availability=GetAvailability(schedules, await_revision, policy, clock),
        list_slots=ListSlots(schedules, await_revision, policy, clock),
        search_availability=SearchAvailability(schedules, await_revision, policy, clock),
        preview_availability=PreviewAvailability(),
        match_doctors=MatchDoctors(schedules, await_revision, policy, world.history_counts, clock),
        recommend_doctors=RecommendDoctors(world.insights, await_revision, world.history_counts),
        get_doctor_stats=GetDoctorStats(world.doctors, schedules, world.insights, await_revision, policy, clock),
        list_availability_summaries=ListAvailabilitySummaries(world.summaries),
    )
