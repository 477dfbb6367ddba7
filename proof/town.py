"""Who lives in the town of a run, which times there are, and what its clients know of each other's appointments."""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from proof.campaign import Campaign
from proof.timetable import Offer, Practice, times

# A visit that starts within this time can be begun at once.
WALK_IN = timedelta(minutes=14)
_REMEMBERED = 400
_ANY_STATE = 0.06  # so often the state does not matter, so that transitions that must be refused are tried too


@dataclass(frozen=True, slots=True)
class Place:
    """One time that one doctor offers."""

    doctor: str
    offer: Offer
    start: datetime


@dataclass(slots=True)
class Board:
    """The appointments that clients know of, as they were last told. All share it, so they get in each other's way."""

    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: deque[str] = field(default_factory=deque)

    def take(self, told: dict[str, Any]) -> None:
        """Keeps what an answer said, unless something newer is known; forgets the oldest when there are many."""
        mine = self.known.get(told["id"])
        if mine is None:
            self.order.append(told["id"])
        if mine is None or mine["version"] < told["version"]:
            self.known[told["id"]] = told
        while len(self.order) > _REMEMBERED:
            self.known.pop(self.order.popleft(), None)

    def pick(self, rng: random.Random, *states: str) -> dict[str, Any] | None:
        """Some appointment last heard of in one of these states, or (rarely) in any; None when there is none."""
        any_state = rng.random() < _ANY_STATE
        wanted = [a for a in self.known.values() if any_state or a["status"] in states]
        return rng.choice(wanted) if wanted else None


@dataclass(frozen=True, slots=True)
class Town:
    """Who lives here, and which times there are: by doctor and kind, and those of the next minutes."""

    patients: Sequence[str]
    practices: Mapping[str, Practice]
    places: Sequence[Sequence[Place]]
    soon: Sequence[Place]
    days: Sequence[datetime]

    @classmethod
    def of(cls, practices: Mapping[str, Practice], campaign: Campaign, now: datetime, seed: int) -> "Town":
        """The town of a run; its patients are the same for the same seed."""
        rng = random.Random(seed)
        if campaign.practices:
            practices = {doctor: p for doctor, p in practices.items() if p.name in campaign.practices}
        places: list[Sequence[Place]] = []
        soon: list[Place] = []
        for doctor, practice in practices.items():
            for offer in practice.offers:
                starts = list(times(practice, offer, now + timedelta(minutes=2), campaign.days))
                soon += [Place(doctor, offer, start) for start in starts if start - now < WALK_IN]
                later = [Place(doctor, offer, start) for start in starts if start - now >= WALK_IN]
                if later:
                    places.append(rng.sample(later, campaign.places) if 0 < campaign.places < len(later) else later)
        return cls(
            patients=[str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(campaign.patients)],
            practices=practices,
            places=places,
            soon=soon,
            days=[now + timedelta(days=index) for index in range(campaign.days)],
        )
