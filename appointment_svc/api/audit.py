"""What each RPC does with patient data, and when a call of it leaves a row in the record of accesses."""

from chassis.accesses import Action, Leaves, Touch, of_patient_data

_SERVICE = "telemed.appointment.v1.AppointmentService"
_APPOINTMENT = "Appointment"
_BOOKS = Touch(Action.CREATE, _APPOINTMENT, Leaves.A_ROW_OR_AN_EVENT, patient_field="patient_id")
_CHANGES = Touch(Action.UPDATE, _APPOINTMENT, Leaves.A_ROW_OR_AN_EVENT, id_field="id")
_READS = Touch(Action.READ, _APPOINTMENT, id_field="id")
_LISTS = Touch(Action.READ, _APPOINTMENT, patient_field="patient_id")
_COUNTS = Touch(Action.READ, _APPOINTMENT, Leaves.A_ROW_OF_PATIENTS, patient_field="patient_id")

TOUCHES: dict[str, Touch] = {
    f"{_SERVICE}/SmartBook": _BOOKS,
    f"{_SERVICE}/Book": _BOOKS,
    f"{_SERVICE}/HoldSlot": _BOOKS,
    f"{_SERVICE}/ConfirmHold": _CHANGES,
    f"{_SERVICE}/GetAppointment": _READS,
    f"{_SERVICE}/ListAppointments": _LISTS,
    f"{_SERVICE}/CancelAppointment": _CHANGES,
    f"{_SERVICE}/RescheduleAppointment": _CHANGES,
    f"{_SERVICE}/ApproveAppointment": _CHANGES,
    f"{_SERVICE}/RecordArrival": _CHANGES,
    f"{_SERVICE}/RateVisit": _CHANGES,
    f"{_SERVICE}/StartAppointment": _CHANGES,
    f"{_SERVICE}/CompleteAppointment": _CHANGES,
    f"{_SERVICE}/MarkNoShow": _CHANGES,
    f"{_SERVICE}/CheckConflicts": _COUNTS,
    f"{_SERVICE}/ListEvents": _READS,
    f"{_SERVICE}/GetStats": _COUNTS,
    f"{_SERVICE}/WatchChanges": _LISTS,
    **of_patient_data(_SERVICE),
}

# They tell of nobody in particular.
FREE_OF_PATIENT_DATA = frozenset({f"{_SERVICE}/GetBookingAnalytics"})
