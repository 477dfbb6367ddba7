"""What each RPC does with patient data, and when a call of it leaves a row in the record of accesses."""

from chassis.accesses import Action, Leaves, Touch, of_patient_data

_SERVICE = "telemed.video.v1.VideoService"
_SESSION = "Session"
_READS = Touch(Action.READ, _SESSION, id_field="session_id")
_CHANGES = Touch(Action.UPDATE, _SESSION, id_field="session_id")
# What somebody sends again and again while they are in the visit that StartSession let them into.
_GOES_ON = Touch(Action.EXECUTE, _SESSION, Leaves.NO_ROW, id_field="session_id")

TOUCHES: dict[str, Touch] = {
    f"{_SERVICE}/StartSession": Touch(Action.EXECUTE, "Appointment", id_field="appointment_id"),
    f"{_SERVICE}/CheckIn": _CHANGES,
    f"{_SERVICE}/Admit": _CHANGES,
    f"{_SERVICE}/Reject": _CHANGES,
    f"{_SERVICE}/Remove": _CHANGES,
    f"{_SERVICE}/SendSignal": _GOES_ON,
    f"{_SERVICE}/WatchSession": _READS,
    f"{_SERVICE}/CreateStreamTicket": _READS,
    f"{_SERVICE}/PublishTracks": _GOES_ON,
    f"{_SERVICE}/SubscribeTracks": _GOES_ON,
    f"{_SERVICE}/AnswerOffer": _GOES_ON,
    f"{_SERVICE}/RefreshIce": _GOES_ON,
    f"{_SERVICE}/Heartbeat": _GOES_ON,
    f"{_SERVICE}/ReportQuality": _GOES_ON,
    f"{_SERVICE}/GetSessionStats": _READS,
    f"{_SERVICE}/LeaveSession": _CHANGES,
    f"{_SERVICE}/EndSession": _CHANGES,
    f"{_SERVICE}/GetSession": _READS,
    f"{_SERVICE}/ListSessions": Touch(Action.READ, _SESSION, patient_field="patient_id"),
    **of_patient_data(_SERVICE),
}

# Nothing here is about nobody.
FREE_OF_PATIENT_DATA: frozenset[str] = frozenset()
