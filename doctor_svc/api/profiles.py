"""Profiles between the contract and the domain."""

from collections.abc import Iterable

from google.api import field_behavior_pb2
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import profiles_pb2 as api

from chassis.enum_map import EnumMap
from chassis.protos import to_optional_date, to_timestamp
from doctor_svc.domain.doctor import ConsultationMode, Doctor, PrivateDetails, Profile
from doctor_svc.domain.profile_changes import PRIVATE_FIELDS, PROFILE_FIELDS, Patch
from kernel.errors import InvalidArgument

_MODES = EnumMap(doctor_pb2.ConsultationMode.DESCRIPTOR, ConsultationMode)
_OUTPUT_ONLY = frozenset(
    field.name
    for field in doctor_pb2.Doctor.DESCRIPTOR.fields
    if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
)


def to_profile(doctor: doctor_pb2.Doctor) -> Profile:
    """What describes a doctor, each text trimmed."""
    return Profile(
        first_name=doctor.first_name.strip(),
        last_name=doctor.last_name.strip(),
        specialty=doctor.specialty.strip(),
        timezone=doctor.timezone,
        sub_specialties=tuple(name.strip() for name in doctor.sub_specialties),
        bio=doctor.bio.strip(),
        years_experience=doctor.years_experience,
        languages=tuple(doctor.languages),
        license_jurisdictions=tuple(dict.fromkeys(code.strip().upper() for code in doctor.license_jurisdictions)),
        max_daily_appointments=doctor.max_daily_appointments,
        consultation_modes=_modes(doctor.consultation_modes) or (ConsultationMode.VIDEO,),
        requires_approval=doctor.requires_approval,
    )


def to_private(doctor: doctor_pb2.Doctor) -> PrivateDetails:
    """What is taken of a doctor and never shown."""
    return PrivateDetails(
        email=doctor.email.strip(),
        license_number=doctor.license_number.strip(),
        date_of_birth=to_optional_date(doctor, "date_of_birth", label="doctor.date_of_birth"),
    )


def to_patch(request: api.UpdateDoctorRequest) -> Patch:
    """Which fields are to be changed, and to what. Raises InvalidArgument for update_mask."""
    doctor = request.doctor
    populated = {field.name for field, _ in doctor.ListFields()}
    paths = set(request.update_mask.paths) or populated
    if "*" in paths:
        paths = paths - {"*"} | PROFILE_FIELDS | (PRIVATE_FIELDS & populated)
    unknown = sorted(paths - PROFILE_FIELDS - PRIVATE_FIELDS - _OUTPUT_ONLY)
    if unknown:
        raise InvalidArgument.of("update_mask", "must name fields of the doctor, such as bio,languages")
    return Patch(to_profile(doctor), to_private(doctor), frozenset(paths - _OUTPUT_ONLY))


def from_doctor(doctor: Doctor) -> doctor_pb2.Doctor:
    """A doctor as shown."""
    profile = doctor.profile
    return doctor_pb2.Doctor(
        doctor_id=doctor.doctor_id,
        first_name=profile.first_name,
        last_name=profile.last_name,
        specialty=profile.specialty,
        sub_specialties=profile.sub_specialties,
        bio=profile.bio,
        years_experience=profile.years_experience,
        languages=profile.languages,
        timezone=profile.timezone,
        license_jurisdictions=profile.license_jurisdictions,
        max_daily_appointments=profile.max_daily_appointments,
        consultation_modes=map(_MODES.number, profile.consultation_modes),
        requires_approval=profile.requires_approval,
        is_verified=doctor.is_verified,
        is_active=doctor.is_active,
        rating=doctor.rating,
        rating_count=doctor.rating_count,
        etag=doctor.etag,
        create_time=to_timestamp(doctor.create_time),
        update_time=to_timestamp(doctor.update_time),
    )


def _modes(numbers: Iterable[int]) -> tuple[ConsultationMode, ...]:
    modes = (_MODES.required(number, f"doctor.consultation_modes[{index}]") for index, number in enumerate(numbers))
    return tuple(dict.fromkeys(modes))
