"""What each RPC does with patient data, and when a call of it leaves a row in the record of accesses."""

from chassis.accesses import Action, Leaves, Touch, of_patient_data

_SERVICE = "telemed.doctor.v1.DoctorService"
# How well a doctor suits a patient tells which doctors they have been with.
_MATCHES = Touch(Action.READ, "Visit", Leaves.A_ROW_OF_PATIENTS, patient_field="patient_id")

TOUCHES: dict[str, Touch] = {
    # It answers the booked visits that the override hits.
    f"{_SERVICE}/CreateOverride": Touch(Action.READ, "Appointment"),
    f"{_SERVICE}/MatchDoctors": _MATCHES,
    f"{_SERVICE}/RecommendDoctors": _MATCHES,
    **of_patient_data(_SERVICE),
}

# Doctors, their hours, and sums over all of a doctor's visits.
FREE_OF_PATIENT_DATA = frozenset(
    f"{_SERVICE}/{rpc}"
    for rpc in (
        "CreateDoctor",
        "GetDoctor",
        "UpdateDoctor",
        "DeactivateDoctor",
        "ActivateDoctor",
        "VerifyDoctor",
        "SearchDoctors",
        "SetAvailability",
        "ListAvailabilityRules",
        "UpdateAvailability",
        "DeleteAvailability",
        "ListOverrides",
        "DeleteOverride",
        "GetAvailability",
        "ListSlots",
        "SearchAvailability",
        "PreviewAvailability",
        "GetDoctorStats",
        "ListAvailabilitySummaries",
    )
)
