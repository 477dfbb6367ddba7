"""Fields that several requests share: kinds, lengths of visits, request ids, texts."""

import re
from datetime import timedelta

from telemed.doctor.v1 import availability_pb2, profiles_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api
from telemed.type.v1 import scheduling_pb2

from chassis.context import Caller
from chassis.protos import fingerprint
from doctor_svc.app.ports import RequestKey
from kernel.appointment_types import MAX_VISIT, MIN_VISIT, AppointmentType
from kernel.errors import InvalidArgument

_PREFIX = "APPOINTMENT_TYPE_"
_REQUEST_ID = re.compile(r"[ -~]{1,255}")
_MINUTE = timedelta(minutes=1)
_MAX_SPECIALTY = 100

_KIND_NUMBERS = {kind: scheduling_pb2.AppointmentType.Value(_PREFIX + kind.name) for kind in AppointmentType}
_KINDS: dict[int, AppointmentType] = {number: kind for kind, number in _KIND_NUMBERS.items()}

Mutation = (
    api.CreateDoctorRequest
    | profiles_pb2.UpdateDoctorRequest
    | profiles_pb2.DeactivateDoctorRequest
    | profiles_pb2.ActivateDoctorRequest
    | api.VerifyDoctorRequest
    | api.SetAvailabilityRequest
    | availability_pb2.UpdateAvailabilityRequest
    | availability_pb2.DeleteAvailabilityRequest
    | availability_pb2.CreateOverrideRequest
    | availability_pb2.DeleteOverrideRequest
)


def optional_kind(number: int, field: str) -> AppointmentType | None:
    """A kind of visit; None for the unspecified. Raises InvalidArgument for a number that is not in the list."""
    if number == scheduling_pb2.APPOINTMENT_TYPE_UNSPECIFIED:
        return None
    try:
        return _KINDS[number]
    except KeyError:
        raise InvalidArgument.of(field, "must be an appointment type such as GeneralConsultation") from None


def required_kind(number: int, field: str) -> AppointmentType:
    """Like optional_kind, where the unspecified is refused too."""
    kind = optional_kind(number, field)
    if kind is None:
        raise InvalidArgument.of(field, "is required, such as GeneralConsultation")
    return kind


def kind_number(kind: AppointmentType) -> scheduling_pb2.AppointmentType.ValueType:
    """The number of a kind in the contract."""
    return _KIND_NUMBERS[kind]


def optional_duration(minutes: int) -> timedelta | None:
    """The length of a visit, from whole minutes; 0 is None. Raises InvalidArgument for duration_minutes."""
    if minutes == 0:
        return None
    if not MIN_VISIT // _MINUTE <= minutes <= MAX_VISIT // _MINUTE:
        raise InvalidArgument.of("duration_minutes", f"must be {MIN_VISIT // _MINUTE} to {MAX_VISIT // _MINUTE}")
    return minutes * _MINUTE


def minutes_of(length: timedelta) -> int:
    """A length in whole minutes."""
    return length // _MINUTE


def specialty_wish(text: str, field: str = "specialty_required") -> str:
    """A specialty as the caller spells it, trimmed. Raises InvalidArgument for the field."""
    trimmed = text.strip()
    if len(trimmed) > _MAX_SPECIALTY or not trimmed.isprintable():
        raise InvalidArgument.of(field, f"must be at most {_MAX_SPECIALTY} characters on one line")
    return trimmed


def request_key(request: Mutation, method: str, caller: Caller) -> RequestKey | None:
    """The key under which the answer is saved; None when the caller gave no request_id."""
    if not request.request_id:
        return None
    if not _REQUEST_ID.fullmatch(request.request_id):
        raise InvalidArgument.of("request_id", "must be 1 to 255 printable ASCII characters")
    return RequestKey(caller.subject, method, request.request_id, fingerprint(request))
