"""Which roles may call which RPC; whose object it is, the use cases decide."""

from chassis.context import Role

_SERVICE = "telemed.video.v1.VideoService"
_EVERYBODY = frozenset(Role)
# Staff may look at a session and never sit in it.
_PARTICIPANTS = frozenset({Role.PATIENT, Role.DOCTOR})
_DOCTORS = frozenset({Role.DOCTOR})

OPEN_TO: dict[str, frozenset[Role]] = {
    f"{_SERVICE}/StartSession": _PARTICIPANTS,
    f"{_SERVICE}/CheckIn": _PARTICIPANTS,
    f"{_SERVICE}/Admit": _DOCTORS,
    f"{_SERVICE}/Reject": _DOCTORS,
    f"{_SERVICE}/Remove": _DOCTORS,
    f"{_SERVICE}/SendSignal": _PARTICIPANTS,
    f"{_SERVICE}/WatchSession": _EVERYBODY,
    f"{_SERVICE}/CreateStreamTicket": _EVERYBODY,
    f"{_SERVICE}/PublishTracks": _PARTICIPANTS,
    f"{_SERVICE}/SubscribeTracks": _PARTICIPANTS,
    f"{_SERVICE}/AnswerOffer": _PARTICIPANTS,
    f"{_SERVICE}/RefreshIce": _PARTICIPANTS,
    f"{_SERVICE}/Heartbeat": _PARTICIPANTS,
    f"{_SERVICE}/ReportQuality": _PARTICIPANTS,
    f"{_SERVICE}/GetSessionStats": _EVERYBODY,
    f"{_SERVICE}/LeaveSession": _PARTICIPANTS,
    f"{_SERVICE}/EndSession": frozenset({Role.DOCTOR, Role.ADMIN}),
    f"{_SERVICE}/GetSession": _EVERYBODY,
    f"{_SERVICE}/ListSessions": _EVERYBODY,
}

# What a single-use ticket opens as well, for a browser whose EventSource cannot send a token.
TAKES_TICKETS = f"{_SERVICE}/WatchSession"
