"""What a run is made of: how long, how many clients, how crowded, and what is killed meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

# What the clinic's clocks show at the start of a run: two days later the clocks of New York change, so that the hours
# of one doctor move within the days that are booked.
CLINIC_OPENS = datetime(2027, 3, 12, 15, 0, tzinfo=UTC)

# Seconds that a held time is kept: short, so that many holds run out within a run.
HOLD_SECONDS = 3
# Visits that a patient may have on one day of a doctor's calendar.
DAILY_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of run.

    `seconds` is how long clients work; `faults` weighs what the nemesis does (nemesis.py names them), one fault every
    `calm_seconds` on average; `verbs` weighs what clients do where it differs from the usual.
    """

    name: str
    seconds: float
    clients: int = 24
    patients: int = 40
    days: int = 3
    appointment_servers: int = 3
    doctor_servers: int = 2
    calm_seconds: float = 2.0
    faults: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    verbs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


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
STORM = Campaign("storm", seconds=150.0, faults=_EVERY_FAULT)
# The same in the time that a run of all tests can spare.
SQUALL = Campaign("squall", seconds=20.0, clients=16, calm_seconds=1.2, faults=_EVERY_FAULT)
# Few times and many who want them, and nobody dies: what races alone bring out.
CROWD = Campaign("crowd", seconds=5.0, clients=24, patients=12, days=1, appointment_servers=2, doctor_servers=1)
# A crowd that mostly moves visits about.
MOVES = Campaign(
    "moves",
    seconds=6.0,
    clients=32,
    patients=10,
    days=1,
    appointment_servers=2,
    doctor_servers=1,
    verbs=MappingProxyType({"book": 4, "smart book": 0, "reschedule": 16, "cancel": 1}),
)
# Servers of bookings die all the time.
DEATHS = Campaign(
    "deaths",
    seconds=7.0,
    clients=16,
    appointment_servers=2,
    doctor_servers=1,
    calm_seconds=0.7,
    faults=MappingProxyType({"kill appointment": 1}),
)
# The database dies, and comes back from what it had written down.
BLACKOUT = Campaign(
    "blackout",
    seconds=7.0,
    clients=16,
    appointment_servers=2,
    doctor_servers=1,
    calm_seconds=1.5,
    faults=MappingProxyType({"kill the database": 1}),
)
# Those who copy the feed die all the time.
READERS_DIE = Campaign(
    "readers die",
    seconds=7.0,
    clients=12,
    appointment_servers=2,
    doctor_servers=1,
    calm_seconds=0.6,
    faults=MappingProxyType({"kill doctor": 1}),
)
