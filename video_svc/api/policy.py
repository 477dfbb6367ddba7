"""Who may do what to whose video session: the table that every call obeys (docs/authorization.md shows it)."""

from chassis.policy import Others, Rule, Scope, policy_of

NO, OWN, ALL = Scope.NONE, Scope.OWN, Scope.ALL
NOT_FOUND, LEFT_OUT, REFUSED = Others.NOT_FOUND, Others.LEFT_OUT, Others.REFUSED
_SERVICE = "telemed.video.v1.VideoService"

# Staff may look at a session and never sit in it.
# fmt: off
POLICY = policy_of(_SERVICE, {
    #                          patient doctor admin service  what is another's
    "StartSession":       Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "CheckIn":            Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "Admit":              Rule(NO,     OWN,   NO,   NO,      NOT_FOUND),
    "Reject":             Rule(NO,     OWN,   NO,   NO,      NOT_FOUND),
    "Remove":             Rule(NO,     OWN,   NO,   NO,      NOT_FOUND),
    "SendSignal":         Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "WatchSession":       Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND),
    "CreateStreamTicket": Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND),
    "PublishTracks":      Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "SubscribeTracks":    Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "AnswerOffer":        Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "RefreshIce":         Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "Heartbeat":          Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "ReportQuality":      Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "GetSessionStats":    Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND, break_glass=True),
    "LeaveSession":       Rule(OWN,    OWN,   NO,   NO,      NOT_FOUND),
    "EndSession":         Rule(NO,     OWN,   ALL,  NO,      NOT_FOUND),
    "GetSession":         Rule(OWN,    OWN,   ALL,  ALL,     NOT_FOUND, break_glass=True),
    "ListSessions":       Rule(OWN,    OWN,   ALL,  ALL,     LEFT_OUT, break_glass=True),
    "ListAccesses":      Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ExportPatientData": Rule(OWN,    NO,    ALL,  NO,      REFUSED),
    "ErasePatientData":  Rule(NO,     NO,    ALL,  NO),
})
# fmt: on

# What a single-use ticket opens as well, for a browser whose EventSource cannot send a token.
TAKES_TICKETS = f"{_SERVICE}/WatchSession"
