"""The RPCs: each translates, calls its use case, and translates back."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from telemed.doctor.v1 import availability_pb2 as hours_pb2
from telemed.doctor.v1 import doctor_pb2, insights_pb2, profiles_pb2, search_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceServicer

from chassis.clock import Clock
from chassis.context import current_caller
from chassis.ids import parse_optional_uuid, parse_uuid
from chassis.patient_data_rpcs import PatientData, PatientDataRpcs
from doctor_svc.api import (
    convert,
    free_doctors,
    insights,
    matches,
    overrides,
    preview,
    profiles,
    rules,
    search,
    slots,
    stats,
    summaries,
)
from doctor_svc.api.fields import Mutation, request_key, specialty_wish
from doctor_svc.app.ports import Transactions, Unit
from doctor_svc.app.use_cases import UseCases

Context = grpc.aio.ServicerContext[Any, Any]
Reply = TypeVar("Reply", bound=Message)


class DoctorServicer(PatientDataRpcs, DoctorServiceServicer):
    """telemed.doctor.v1.DoctorService. What each RPC promises stands in the contract."""

    def __init__(
        self, use_cases: UseCases, transactions: Transactions, patient_data: PatientData, clock: Clock
    ) -> None:
        self._use_cases = use_cases
        self._patient_data = patient_data
        self._transactions = transactions
        self._clock = clock
        self._clinic_buffer = use_cases.get_availability.policy.clinic_buffer

    async def CreateDoctor(self, request: api.CreateDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Adds a doctor."""
        profile, private = profiles.to_profile(request.doctor), profiles.to_private(request.doctor)

        async def create(unit: Unit) -> doctor_pb2.Doctor:
            return profiles.from_doctor(await self._use_cases.create_doctor(unit, profile, private))

        return await self._once(request, doctor_pb2.Doctor, create)

    async def GetDoctor(self, request: api.GetDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Tells one doctor's profile."""
        doctor_id = parse_uuid(request.doctor_id, "doctor_id")
        doctor = await self._use_cases.get_doctor(current_caller(), doctor_id)
        return profiles.from_doctor(doctor)

    async def UpdateDoctor(self, request: profiles_pb2.UpdateDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Changes a profile."""
        doctor_id = parse_uuid(request.doctor.doctor_id, "doctor.doctor_id")
        patch, caller = profiles.to_patch(request), current_caller()

        async def update(unit: Unit) -> doctor_pb2.Doctor:
            changed = await self._use_cases.update_doctor(unit, caller, doctor_id, patch, request.doctor.etag)
            return profiles.from_doctor(changed)

        return await self._once(request, doctor_pb2.Doctor, update)

    async def DeactivateDoctor(self, request: profiles_pb2.DeactivateDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Takes a doctor out of everyone's sight."""
        doctor_id, caller = parse_uuid(request.doctor_id, "doctor_id"), current_caller()

        async def deactivate(unit: Unit) -> doctor_pb2.Doctor:
            return profiles.from_doctor(await self._use_cases.deactivate_doctor(unit, caller, doctor_id))

        return await self._once(request, doctor_pb2.Doctor, deactivate)

    async def ActivateDoctor(self, request: profiles_pb2.ActivateDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Lets a doctor take new visits again."""
        doctor_id, caller = parse_uuid(request.doctor_id, "doctor_id"), current_caller()

        async def activate(unit: Unit) -> doctor_pb2.Doctor:
            return profiles.from_doctor(await self._use_cases.activate_doctor(unit, caller, doctor_id))

        return await self._once(request, doctor_pb2.Doctor, activate)

    async def VerifyDoctor(self, request: api.VerifyDoctorRequest, _: Context) -> doctor_pb2.Doctor:
        """Stores the verdict on a doctor's licence."""
        doctor_id = parse_uuid(request.doctor_id, "doctor_id")
        verdict = request.is_verified if request.HasField("is_verified") else True

        async def verify(unit: Unit) -> doctor_pb2.Doctor:
            return profiles.from_doctor(await self._use_cases.verify_doctor(unit, doctor_id, is_verified=verdict))

        return await self._once(request, doctor_pb2.Doctor, verify)

    async def SearchDoctors(
        self, request: search_pb2.SearchDoctorsRequest, _: Context
    ) -> search_pb2.SearchDoctorsResponse:
        """Finds doctors by words and attributes."""
        wish = search.to_wish(request)
        after, size = search.to_position(request.page_token, wish), request.page_size
        return search.from_page(await self._use_cases.search_doctors(current_caller(), wish, after, size), wish)

    async def SetAvailability(self, request: api.SetAvailabilityRequest, _: Context) -> doctor_pb2.AvailabilityRule:
        """Adds a rule of availability."""
        draft, caller = rules.to_new_rule(request, self._clinic_buffer), current_caller()

        async def add(unit: Unit) -> doctor_pb2.AvailabilityRule:
            return rules.from_rule(await self._use_cases.set_availability(unit, caller, draft))

        return await self._once(request, doctor_pb2.AvailabilityRule, add)

    async def ListAvailabilityRules(
        self, request: hours_pb2.ListAvailabilityRulesRequest, _: Context
    ) -> hours_pb2.ListAvailabilityRulesResponse:
        """Lists a doctor's rules of availability."""
        doctor_id, after = (
            parse_uuid(request.doctor_id, "doctor_id"),
            parse_optional_uuid(request.page_token, "page_token"),
        )
        page = await self._use_cases.list_availability_rules(current_caller(), doctor_id, after, request.page_size)
        return rules.from_rules_page(page)

    async def UpdateAvailability(
        self, request: hours_pb2.UpdateAvailabilityRequest, _: Context
    ) -> doctor_pb2.AvailabilityRule:
        """Changes a rule of availability."""
        change, caller = rules.to_rule_change(request, self._clinic_buffer), current_caller()

        async def update(unit: Unit) -> doctor_pb2.AvailabilityRule:
            return rules.from_rule(await self._use_cases.update_availability(unit, caller, change))

        return await self._once(request, doctor_pb2.AvailabilityRule, update)

    async def DeleteAvailability(self, request: hours_pb2.DeleteAvailabilityRequest, _: Context) -> Empty:
        """Deletes a rule of availability."""
        doctor_id, rule_id = parse_uuid(request.doctor_id, "doctor_id"), parse_uuid(request.rule_id, "rule_id")
        caller = current_caller()

        async def delete(unit: Unit) -> Empty:
            await self._use_cases.delete_availability(unit, caller, doctor_id, rule_id, request.etag or None)
            return Empty()

        return await self._once(request, Empty, delete)

    async def CreateOverride(
        self, request: hours_pb2.CreateOverrideRequest, _: Context
    ) -> hours_pb2.CreateOverrideResponse:
        """Adds an exception to a doctor's hours."""
        draft, caller = overrides.to_new_override(request, self._clinic_buffer), current_caller()

        async def create(unit: Unit) -> hours_pb2.CreateOverrideResponse:
            outcome = await self._use_cases.create_override(unit, caller, draft, dry_run=request.dry_run)
            return overrides.from_outcome(outcome)

        return await self._once(request, hours_pb2.CreateOverrideResponse, create)

    async def ListOverrides(
        self, request: hours_pb2.ListOverridesRequest, _: Context
    ) -> hours_pb2.ListOverridesResponse:
        """Lists the exceptions to a doctor's hours."""
        question, caller = overrides.to_overrides_question(request), current_caller()
        return overrides.from_overrides_page(await self._use_cases.list_overrides(caller, question))

    async def DeleteOverride(self, request: hours_pb2.DeleteOverrideRequest, _: Context) -> Empty:
        """Deletes an exception to a doctor's hours."""
        doctor_id = parse_uuid(request.doctor_id, "doctor_id")
        override_id, caller = parse_uuid(request.override_id, "override_id"), current_caller()

        async def delete(unit: Unit) -> Empty:
            await self._use_cases.delete_override(unit, caller, doctor_id, override_id)
            return Empty()

        return await self._once(request, Empty, delete)

    async def GetAvailability(self, request: api.GetAvailabilityRequest, _: Context) -> api.GetAvailabilityResponse:
        """Tells the free slots of one doctor on one day."""
        question = convert.to_day_question(request)
        answer = await self._use_cases.get_availability(current_caller(), question)
        return convert.from_day_answer(answer)

    async def ListSlots(self, request: hours_pb2.ListSlotsRequest, _: Context) -> hours_pb2.ListSlotsResponse:
        """Lists the free slots of one doctor over some days."""
        question = slots.to_slots_question(request)
        return slots.from_slots_page(await self._use_cases.list_slots(current_caller(), question))

    async def SearchAvailability(
        self, request: hours_pb2.SearchAvailabilityRequest, _: Context
    ) -> hours_pb2.SearchAvailabilityResponse:
        """Tells who is free on a day."""
        return free_doctors.from_search_page(
            await self._use_cases.search_availability(free_doctors.to_search_question(request))
        )

    async def PreviewAvailability(
        self, request: hours_pb2.PreviewAvailabilityRequest, _: Context
    ) -> hours_pb2.PreviewAvailabilityResponse:
        """Tells the free slots of a doctor as imagined."""
        scene = preview.to_scene(request, self._use_cases.get_availability.policy, self._clock())
        return preview.from_slots(self._use_cases.preview_availability(scene))

    async def MatchDoctors(self, request: api.MatchDoctorsRequest, _: Context) -> api.MatchDoctorsResponse:
        """Ranks the doctors who fit a wish."""
        question = matches.to_match_question(request)
        return matches.from_match_answer(await self._use_cases.match_doctors(current_caller(), question))

    async def RecommendDoctors(
        self, request: insights_pb2.RecommendDoctorsRequest, _: Context
    ) -> insights_pb2.RecommendDoctorsResponse:
        """Recommends doctors where no time is in question."""
        question = insights.to_recommend_question(request)
        return insights.from_recommendations(await self._use_cases.recommend_doctors(current_caller(), question))

    async def GetDoctorStats(self, request: insights_pb2.GetDoctorStatsRequest, _: Context) -> insights_pb2.DoctorStats:
        """Tells a doctor's numbers."""
        question = stats.to_stats_question(request)
        return stats.from_stats_answer(await self._use_cases.get_doctor_stats(current_caller(), question))

    async def ListAvailabilitySummaries(
        self, request: insights_pb2.ListAvailabilitySummariesRequest, _: Context
    ) -> insights_pb2.ListAvailabilitySummariesResponse:
        """Lists how much of the next days is offered, booked and free."""
        specialty, after = specialty_wish(request.specialty, "specialty"), summaries.to_position(request.page_token)
        page = await self._use_cases.list_availability_summaries(specialty, after, request.page_size)
        return summaries.from_summaries_page(page)

    async def _once(self, request: Mutation, reply: type[Reply], change: Callable[[Unit], Awaitable[Reply]]) -> Reply:
        """Makes a change in one transaction, or answers as the first time when the request is a repeat."""

        async def work(unit: Unit) -> bytes:
            return (await change(unit)).SerializeToString()

        key = request_key(request, type(request).__name__.removesuffix("Request"), current_caller())
        return reply.FromString(await self._transactions.once(key, self._clock(), work))
