"""Which roles may call which RPC at all; whose objects they may touch is decided by the use cases."""

from chassis.context import Role

_EVERYONE = frozenset(Role)
_ADMINISTRATORS = frozenset({Role.ADMIN})
_SELVES = frozenset({Role.DOCTOR, Role.ADMIN})

OPEN_TO: dict[str, frozenset[Role]] = {
    "telemed.doctor.v1.DoctorService/CreateDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/GetDoctor": _EVERYONE,
    "telemed.doctor.v1.DoctorService/UpdateDoctor": _SELVES,
    "telemed.doctor.v1.DoctorService/DeactivateDoctor": _SELVES,
    "telemed.doctor.v1.DoctorService/ActivateDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/VerifyDoctor": _ADMINISTRATORS,
    "telemed.doctor.v1.DoctorService/SetAvailability": frozenset({Role.DOCTOR, Role.ADMIN}),
    "telemed.doctor.v1.DoctorService/GetAvailability": _EVERYONE,
    "telemed.doctor.v1.DoctorService/MatchDoctors": _EVERYONE,
}
