"""Which roles may call which RPC; whose object it is, the use cases decide."""

from chassis.context import Role

_EVERYBODY = frozenset(Role)
# Staff may look at a session and never sit in it.
_PARTICIPANTS = frozenset({Role.PATIENT, Role.DOCTOR})

OPEN_TO: dict[str, frozenset[Role]] = {
    "telemed.video.v1.VideoService/StartSession": _PARTICIPANTS,
    "telemed.video.v1.VideoService/GetSession": _EVERYBODY,
}
