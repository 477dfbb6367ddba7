"""Who may do what to whose profile and hours: the table that every call obeys (docs/authorization.md shows it)."""

from chassis.policy import Others, Rule, Scope, policy_of

NO, OWN, ALL = Scope.NONE, Scope.OWN, Scope.ALL
NOT_FOUND, REFUSED = Others.NOT_FOUND, Others.REFUSED

# fmt: off
POLICY = policy_of("telemed.doctor.v1.DoctorService", {
    #                                 patient doctor admin service  what is another's
    "CreateDoctor":              Rule(NO,     NO,    ALL,  NO),
    "GetDoctor":                 Rule(ALL,    ALL,   ALL,  ALL),
    "UpdateDoctor":              Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "DeactivateDoctor":          Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "ActivateDoctor":            Rule(NO,     NO,    ALL,  NO),
    "VerifyDoctor":              Rule(NO,     NO,    ALL,  NO),
    "SearchDoctors":             Rule(ALL,    ALL,   ALL,  ALL),
    "SetAvailability":           Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "ListAvailabilityRules":     Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "UpdateAvailability":        Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "DeleteAvailability":        Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "CreateOverride":            Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "ListOverrides":             Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "DeleteOverride":            Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "GetAvailability":           Rule(ALL,    ALL,   ALL,  ALL),
    "ListSlots":                 Rule(ALL,    ALL,   ALL,  ALL),
    "SearchAvailability":        Rule(ALL,    ALL,   ALL,  ALL),
    "PreviewAvailability":       Rule(NO,     ALL,   ALL,  NO),
    "MatchDoctors":              Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "RecommendDoctors":          Rule(OWN,    OWN,   ALL,  ALL,     REFUSED),
    "GetDoctorStats":            Rule(NO,     OWN,   ALL,  ALL,     NOT_FOUND),
    "ListAvailabilitySummaries": Rule(NO,     NO,    ALL,  ALL),
    "ListAccesses":             Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ExportPatientData":        Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ErasePatientData":         Rule(NO,     NO,    ALL,  NO),
})
# fmt: on
