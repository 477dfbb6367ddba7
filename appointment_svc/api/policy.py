"""Which roles each RPC is open to. Whose objects they may touch is decided in the use cases (app/access.py)."""

from chassis.context import Role

_SERVICE = "telemed.appointment.v1.AppointmentService"
_ANYONE = frozenset(Role)
_STAFF_AND_DOCTORS = _ANYONE - {Role.PATIENT}

OPEN_TO: dict[str, frozenset[Role]] = {
    f"{_SERVICE}/SmartBook": frozenset({Role.PATIENT, Role.ADMIN, Role.SERVICE}),
    f"{_SERVICE}/Book": _ANYONE,
    f"{_SERVICE}/HoldSlot": _ANYONE,
    f"{_SERVICE}/ConfirmHold": _ANYONE,
    f"{_SERVICE}/GetAppointment": _ANYONE,
    f"{_SERVICE}/ListAppointments": _ANYONE,
    f"{_SERVICE}/CancelAppointment": _ANYONE,
    f"{_SERVICE}/RescheduleAppointment": _ANYONE,
    f"{_SERVICE}/ApproveAppointment": _STAFF_AND_DOCTORS,
    f"{_SERVICE}/RecordArrival": frozenset({Role.ADMIN, Role.SERVICE}),
    f"{_SERVICE}/RateVisit": frozenset({Role.PATIENT}),
    f"{_SERVICE}/StartAppointment": _STAFF_AND_DOCTORS,
    f"{_SERVICE}/CompleteAppointment": _STAFF_AND_DOCTORS,
    f"{_SERVICE}/MarkNoShow": _STAFF_AND_DOCTORS,
    f"{_SERVICE}/CheckConflicts": _ANYONE,
    f"{_SERVICE}/ListEvents": _ANYONE,
    f"{_SERVICE}/GetStats": _ANYONE,
    f"{_SERVICE}/GetBookingAnalytics": frozenset({Role.ADMIN, Role.SERVICE}),
    f"{_SERVICE}/WatchChanges": _ANYONE,
}
