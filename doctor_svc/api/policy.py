"""Which roles may call which RPC at all; whose objects they may touch is decided by the use cases."""

from chassis.context import Role

_EVERYONE = frozenset(Role)
_ADMINISTRATORS = frozenset({Role.ADMIN})
_SELVES = frozenset({Role.DOCTOR, Role.ADMIN})
_STAFF = frozenset({Role.ADMIN, Role.SERVICE})
_INSIDERS = frozenset({Role.DOCTOR, Role.ADMIN, Role.SERVICE})

OPEN_TO: dict[str, frozenset[Role]] = {
    "telemed.doctor.v1.DoctorService/CreateDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/GetDoctor": _EVERYONE,
    "telemed.doctor.v1.DoctorService/UpdateDoctor": _SELVES,
    "telemed.doctor.v1.DoctorService/DeactivateDoctor": _SELVES,
    "telemed.doctor.v1.DoctorService/ActivateDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/VerifyDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/SearchDoctors": _EVERYONE,
    "telemed.doctor.v1.DoctorService/SetAvailability": _SELVES,
    "telemed.doctor.v1.DoctorService/ListAvailabilityRules": _SELVES,
    "telemed.doctor.v1.DoctorService/UpdateAvailability": _SELVES,
    "telemed.doctor.v1.DoctorService/DeleteAvailability": _SELVES,
    "telemed.doctor.v1.DoctorService/CreateOverride": _SELVES,
    "telemed.doctor.v1.DoctorService/ListOverrides": _SELVES,
    "telemed.doctor.v1.DoctorService/DeleteOverride": _SELVES,
    "telemed.doctor.v1.DoctorService/GetAvailability": _EVERYONE,
    "telemed.doctor.v1.DoctorService/ListSlots": _EVERYONE,
    "telemed.doctor.v1.DoctorService/SearchAvailability": _EVERYONE,
    "telemed.doctor.v1.DoctorService/PreviewAvailability": _SELVES,
    "telemed.doctor.v1.DoctorService/MatchDoctors": _EVERYONE,
    "telemed.doctor.v1.DoctorService/RecommendDoctors": _EVERYONE,
    "telemed.doctor.v1.DoctorService/GetDoctorStats": _INSIDERS,
    "telemed.doctor.v1.DoctorService/ListAvailabilitySummaries": _STAFF,
}
