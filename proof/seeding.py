"""Adds the doctors of a run through the contract, as an administrator would, and notes their hours in the history."""

from uuid import uuid4

import grpc
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.type.v1.scheduling_pb2 import AppointmentType

from chassis.context import Role
from proof.clinic import Clinic
from proof.history import Recorder
from proof.timetable import PRACTICES, Offer, Practice
from stack.plan import HOST

_SECONDS = 20.0


async def add_doctors(clinic: Clinic, recorder: Recorder) -> dict[str, Practice]:
    """The practices by the id that each doctor got."""
    metadata = clinic.metadata(Role.ADMIN, str(uuid4()))
    port = clinic.of_service("doctor")[0].plan.port
    found = {}
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        stub = DoctorServiceStub(channel)
        for practice in PRACTICES:
            wish = pb.CreateDoctorRequest(doctor=_profile(practice))
            doctor = await stub.CreateDoctor(wish, metadata=metadata, timeout=_SECONDS)
            verified = pb.VerifyDoctorRequest(doctor_id=doctor.doctor_id)
            await stub.VerifyDoctor(verified, metadata=metadata, timeout=_SECONDS)
            for offer in practice.offers:
                for weekday in range(7):
                    rule = pb.SetAvailabilityRequest(doctor_id=doctor.doctor_id, rule=_rule(practice, offer, weekday))
                    await stub.SetAvailability(rule, metadata=metadata, timeout=_SECONDS)
            recorder.write("doctor", id=doctor.doctor_id, **practice.facts)
            found[doctor.doctor_id] = practice
    return found


def _profile(practice: Practice) -> doctor_pb2.Doctor:
    return doctor_pb2.Doctor(
        first_name="Dana",
        last_name=practice.name,
        specialty=practice.specialty,
        timezone=practice.zone,
        requires_approval=practice.approves,
        max_daily_appointments=practice.day_limit,
    )


def _rule(practice: Practice, offer: Offer, weekday: int) -> doctor_pb2.AvailabilityRule:
    morning, afternoon = practice.blocks
    return doctor_pb2.AvailabilityRule(
        day_of_week=weekday,
        appointment_type=AppointmentType.Value(f"APPOINTMENT_TYPE_{offer.kind}"),
        duration_minutes=offer.minutes,
        buffer_minutes=offer.buffer,
        max_concurrent_appointments=offer.capacity,
        morning_start_time=_wall(morning[0]),
        morning_end_time=_wall(morning[1]),
        afternoon_start_time=_wall(afternoon[0]),
        afternoon_end_time=_wall(afternoon[1]),
    )


def _wall(minute: int) -> TimeOfDay:
    return TimeOfDay(hours=minute // 60, minutes=minute % 60)
