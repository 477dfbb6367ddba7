"""What a run is made of: how long, how many clients, how crowded, and what is killed meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

# What the clinic's clocks show at the start of a run: two days later the clocks of New York change, so that the hours
# of one doctor move within the days that are booked.
CLINIC_OPENS = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)

# Seconds that a held time is kept: short, so that many holds run out within a run.
HOLD_SECONDS = 2
# Visits that a patient may have on one day of a doctor's calendar.
DAILY_LIMIT = 3

# A run in which less than this was granted says nothing.
LEAST_GRANTED = 60


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of run. Times are seconds.

    Clients work for `seconds`, and on until they have tried `operations`, but no more than _LONGEST times as long.
    They want visits within `days`, with `practices` those of these doctors, and with `places` so many times of each
    doctor and kind. `verbs` weighs what
    they do where it differs from the usual, `faults` what the nemesis does (nemesis.py names them), one fault every
    `calm_seconds` on average. Copies that have not come on for `stall_seconds` after all is healed are not waited for.
    """

    name: str
    seconds: float
    operations: int = 0
    clients: int = 24
    patients: int = 40
    days: int = 3
    places: int = 0
    practices: tuple[str, ...] = ()
    appointment_servers: int = 2
    doctor_servers: int = 1
    calm_seconds: float = 2.0
    stall_seconds: float = 12.0
    faults: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    verbs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def longest_seconds(self) -> float:
        """When clients stop at the latest: a machine that has other things to do is given time."""
        return _LONGEST * self.seconds


_LONGEST = 6
_EVERY_FAULT = MappingProxyType(
    {
        "kill appointment": 4,
        "freeze appointment": 3,
        "restart appointment": 2,
        "kill doctor": 2,
        "freeze doctor": 1,
        "kill video": 2,
        "kill a backend": 2,
        "kill the database": 3,
        "cut connections": 2,
    }
)

# Everything at once: what the system has to stand.
STORM = Campaign("storm", seconds=120.0, appointment_servers=3, doctor_servers=2, faults=_EVERY_FAULT)
# The same in the time that a run of all tests can spare.
SQUALL = replace(STORM, name="squall", seconds=15.0, operations=400, clients=16, calm_seconds=1.2)
# Few times and many who want them, and nobody dies: what races alone bring out.
CROWD = Campaign("crowd", seconds=4.0, operations=700, patients=12, days=1, stall_seconds=3.0)
# The same over the day on which clocks change.
CALENDAR = replace(CROWD, name="calendar", days=4, patients=40)
# A crowd about one doctor who offers two kinds of visits and has room for two of one of them.
KINDS = replace(
    CROWD, name="kinds", patients=40, days=2, practices=("Mixed",), verbs=MappingProxyType({"walk in": 0, "cancel": 8})
)
# A crowd that mostly moves visits about.
MOVES = replace(
    CROWD,
    name="moves",
    operations=500,
    clients=32,
    patients=30,
    places=5,
    practices=("York", "Walkin"),
    verbs=MappingProxyType({"book": 6, "smart book": 0, "hold": 1, "confirm": 0, "reschedule": 24, "cancel": 1}),
)
# A crowd that mostly holds times, and confirms some of them, some too late.
HOLDS = replace(
    CROWD, name="holds", patients=40, verbs=MappingProxyType({"book": 8, "smart book": 0, "hold": 16, "confirm": 3})
)
# A crowd whose visits begin, end, and are called off.
LIVES = replace(
    CROWD, name="lives", patients=40, verbs=MappingProxyType({"walk in": 14, "start": 12, "cancel": 10, "complete": 8})
)
# Servers of bookings die all the time.
DEATHS = Campaign(
    "deaths",
    seconds=6.0,
    operations=250,
    clients=16,
    calm_seconds=0.7,
    faults=MappingProxyType({"kill appointment": 1}),
)
# The database dies, and comes back from what it had written down.
BLACKOUT = replace(DEATHS, name="blackout", calm_seconds=1.5, faults=MappingProxyType({"kill the database": 1}))
# Those who copy the feed die all the time.
READERS_DIE = replace(
    DEATHS, name="readers die", clients=12, calm_seconds=0.6, faults=MappingProxyType({"kill ready doctor": 1})
)
CAMPAIGNS = {
    campaign.name: campaign
    for campaign in (STORM, SQUALL, CROWD, CALENDAR, KINDS, MOVES, HOLDS, LIVES, DEATHS, BLACKOUT, READERS_DIE)
}
