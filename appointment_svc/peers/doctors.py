"""The doctor service over gRPC."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from telemed.doctor.v1 import doctor_pb2, doctor_service_pb2
from telemed.type.v1 import scheduling_pb2

from appointment_svc.app.ports import Explanation, MatchWish
from appointment_svc.domain.failing import DoctorFacts
from appointment_svc.domain.offers import Offer
from chassis.client import Client
from chassis.enum_map import EnumMap
from chassis.protos import from_date, from_wall, to_optional_date, to_timestamp
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot, SlotPriority

_KINDS = EnumMap(scheduling_pb2.AppointmentType.DESCRIPTOR, AppointmentType)
_PRIORITIES = EnumMap(scheduling_pb2.SlotPriority.DESCRIPTOR, SlotPriority)
_MATCH = doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"].methods_by_name["MatchDoctors"]


@dataclass(frozen=True, slots=True)
class GrpcDoctors:
    """Implements app.ports.Doctors."""

    client: Client

    async def match(self, wish: MatchWish) -> list[Offer]:
        """See the port."""
        reply = await self.client.unary(_MATCH, _request(wish), doctor_service_pb2.MatchDoctorsResponse)
        return [_offer(match, reply.policy_version) for match in reply.matches]

    async def explain(self, wish: MatchWish) -> Explanation:
        """See the port."""
        request = _request(wish)
        request.explain = bool(wish.doctor_id)
        reply = await self.client.unary(_MATCH, request, doctor_service_pb2.MatchDoctorsResponse)
        offers = [_offer(match, reply.policy_version) for match in reply.matches]
        excluded = reply.excluded[0] if wish.doctor_id and reply.excluded else None
        if excluded is not None:
            return Explanation(offers, _facts(excluded))
        known = DoctorFacts(offers[0].zone, max_daily=offers[0].max_daily_appointments) if offers else None
        return Explanation(offers, known if wish.doctor_id else None)


def _facts(excluded: doctor_pb2.ExcludedDoctor) -> DoctorFacts:
    broken = {reason.rule for reason in excluded.reasons}
    last_days = (to_optional_date(reason, "last_day") for reason in excluded.reasons)
    return DoctorFacts(
        zone=ZoneInfo(excluded.timezone),
        is_verified=doctor_pb2.EXCLUSION_RULE_UNVERIFIED not in broken,
        has_specialty=doctor_pb2.EXCLUSION_RULE_SPECIALTY not in broken,
        works_then=doctor_pb2.EXCLUSION_RULE_OUTSIDE_HOURS not in broken,
        missing_minutes=max(reason.missing_minutes for reason in excluded.reasons),
        max_daily=excluded.max_daily_appointments,
        last_day=min((day for day in last_days if day is not None), default=None),
    )


def _request(wish: MatchWish) -> doctor_service_pb2.MatchDoctorsRequest:
    return doctor_service_pb2.MatchDoctorsRequest(
        patient_id=wish.patient_id,
        appointment_type=_KINDS.number(wish.kind),
        duration_minutes=int(wish.length.total_seconds()) // 60,
        preferred_date=from_date(wish.preferred_date) if wish.preferred_date else None,
        preferred_time_start=from_wall(wish.preferred_start) if wish.preferred_start else None,
        preferred_time_end=from_wall(wish.preferred_end) if wish.preferred_end else None,
        timezone=wish.timezone,
        specialty_required=wish.specialty_required,
        allow_history_prioritization=wish.allow_history,
        doctor_id=wish.doctor_id,
        start_time=to_timestamp(wish.start) if wish.start else None,
        exact_time_only=wish.exact_only,
        at_least_revision=wish.at_least_revision,
    )


def _offer(match: doctor_pb2.DoctorMatch, policy_version: int) -> Offer:
    return Offer(
        doctor_id=match.doctor_id,
        first_name=match.doctor_first_name,
        last_name=match.doctor_last_name,
        zone=ZoneInfo(match.timezone),
        match_score=match.match_score,
        reasons=tuple(match.match_reasons),
        is_preferred=match.is_preferred_doctor,
        slots=tuple(_slot(offered) for offered in match.slots),
        others=tuple(_slot(offered) for offered in match.other_slots),
        exact=_slot(match.exact_slot) if match.HasField("exact_slot") else None,
        requires_approval=match.requires_approval,
        max_daily_appointments=match.max_daily_appointments,
        policy_version=policy_version,
        has_more_slots=match.free_slot_count > len(match.slots),
    )


def _slot(offered: doctor_pb2.OfferedSlot) -> Slot:
    slot = offered.slot
    return Slot(
        start=slot.start_time.ToDatetime(tzinfo=UTC),
        end=slot.end_time.ToDatetime(tzinfo=UTC),
        kind=_KINDS.required(slot.appointment_type, "appointment_type"),
        priority=_PRIORITIES.optional(slot.slot_priority, "slot_priority") or SlotPriority.AVAILABLE,
        buffer=timedelta(minutes=offered.buffer_minutes),
        capacity=max(1, offered.max_concurrent_appointments),
    )
