"""The doctors of a run and the times that they offer, worked out here a second time so that the system is checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of visit that a doctor offers: minutes of the visit and of the buffer, and how many may share a time."""

    kind: str
    minutes: int
    buffer: int
    capacity: int = 1


@dataclass(frozen=True, slots=True)
class Practice:
    """A doctor: the zone, the hours of every day in minutes since midnight, and what is offered in all of them."""

    name: str
    specialty: str
    zone: str
    blocks: tuple[tuple[int, int], ...]
    offers: tuple[Offer, ...]
    # Kinds without a rule of their own that the general hours serve (docs/decisions/0004).
    implied: tuple[Offer, ...] = ()
    # Whether the doctor approves each visit, and the most visits of a day; 0 means any number.
    approves: bool = False
    day_limit: int = 0

    @property
    def facts(self) -> Mapping[str, object]:
        """As the history keeps it."""
        offers = {
            offer.kind: {"minutes": offer.minutes, "buffer": offer.buffer, "capacity": offer.capacity}
            for offer in (*self.offers, *self.implied)
        }
        return {"zone": self.zone, "blocks": [list(block) for block in self.blocks], "offers": offers} | {
            "approves": self.approves,
            "day_limit": self.day_limit,
        }


_ROUND_THE_CLOCK = ((0, 720), (720, 1440))
_OFFICE = ((540, 720), (840, 1020))

PRACTICES: Sequence[Practice] = (
    # Two kinds in the same hours: visits of different kinds must never overlap.
    Practice(
        "York",
        "Cardiology",
        "America/New_York",
        ((60, 720), (780, 1080)),
        (Offer("GENERAL_CONSULTATION", 30, 10), Offer("FOLLOW_UP", 20, 10)),
    ),
    Practice("Group", "Psychiatry", "Europe/London", _OFFICE, (Offer("GROUP_SESSION", 60, 10, 3),), approves=True),
    Practice(
        "Kolkata",
        "Cardiology",
        "Asia/Kolkata",
        _OFFICE,
        (Offer("GENERAL_CONSULTATION", 30, 10),),
        implied=(Offer("FOLLOW_UP", 20, 10),),
    ),
    Practice(
        "Mixed", "Dermatology", "UTC", _OFFICE, (Offer("SPECIALTY_CONSULTATION", 45, 15, 2), Offer("EMERGENCY", 30, 5))
    ),
    # Always open and quickly done, so that visits begin and end within a run.
    Practice("Walkin", "Family medicine", "UTC", _ROUND_THE_CLOCK, (Offer("TELEHEALTH_CHECK_IN", 5, 0, 4),)),
    Practice("Night", "Family medicine", "UTC", _ROUND_THE_CLOCK, (Offer("PRESCRIPTION_RENEWAL", 10, 0),), day_limit=8),
)


def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of a wall time, `minute` after midnight of a day; a skipped time moves on by the gap."""
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def times(practice: Practice, offer: Offer, since: datetime, days: int) -> Iterator[datetime]:
    """Every start that is offered from `since` on, for so many days of the doctor's calendar."""
    zone = ZoneInfo(practice.zone)
    first = since.astimezone(zone).date()
    for day in (first + timedelta(days=index) for index in range(days)):
        for opens, closes in practice.blocks:
            start, end = instant_of(day, opens, zone), instant_of(day, closes, zone)
            while start + timedelta(minutes=offer.minutes) <= end:
                if start >= since:
                    yield start
                start += timedelta(minutes=offer.minutes + offer.buffer)
