"""Who may do what to whose appointment: the table that every call obeys (docs/authorization.md shows it)."""

from chassis.policy import Others, Rule, Scope, policy_of

NO, OWN, ALL = Scope.NONE, Scope.OWN, Scope.ALL
NOT_FOUND, LEFT_OUT, REFUSED = Others.NOT_FOUND, Others.LEFT_OUT, Others.REFUSED

# fmt: off
POLICY = policy_of("telemed.appointment.v1.AppointmentService", {
    #                             patient doctor admin service  what is another's
    "SmartBook":             Rule(OWN,    NO,    ALL,  ALL,     REFUSED),
    "Book":                  Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "HoldSlot":              Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "ConfirmHold":           Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND),
    "GetAppointment":        Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND, break_glass=True),
    "ListAppointments":      Rule(OWN,    OWN,   ALL,  ALL,     LEFT_OUT, break_glass=True),
    "CancelAppointment":     Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND),
    "RescheduleAppointment": Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND),
    "ApproveAppointment":    Rule(NO,     OWN,   ALL,  ALL,     NOT_FOUND),
    "RecordArrival":         Rule(NO,     NO,    ALL,  ALL),
    "RateVisit":             Rule(OWN,    NO,    NO,   NO,      NOT_FOUND),
    "StartAppointment":      Rule(NO,     OWN,   ALL,  ALL,     NOT_FOUND),
    "CompleteAppointment":   Rule(NO,     OWN,   ALL,  ALL,     NOT_FOUND),
    "MarkNoShow":            Rule(NO,     OWN,   ALL,  ALL,     NOT_FOUND),
    "CheckConflicts":        Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "ListEvents":            Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND, break_glass=True),
    "GetStats":              Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "GetBookingAnalytics":   Rule(NO,     NO,    ALL,  ALL),
    "WatchChanges":          Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "ListAccesses":         Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ExportPatientData":    Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ErasePatientData":     Rule(NO,     NO,    ALL,  NO),
})
# fmt: on
