"""What the clients of a run want: wishes drawn from a seeded source, over few doctors, patients and times."""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1.scheduling_pb2 import AppointmentType

from chassis.context import Role
from proof.caller import Wish
from proof.timetable import Offer, Practice, times

# How often each thing is wished for, where a campaign says nothing else.
USUAL: Mapping[str, int] = {
    "book": 12,
    "walk in": 3,
    "smart book": 4,
    "reschedule": 5,
    "cancel": 5,
    "start": 3,
    "complete": 3,
}
_WALK_IN = timedelta(minutes=14)
_REMEMBERED = 400


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
        wanted = [a for a in self.known.values() if a["status"] in states or rng.random() < _ANY_STATE]
        return rng.choice(wanted) if wanted else None


_ANY_STATE = 0.01  # so that transitions that must be refused are tried too


@dataclass(frozen=True, slots=True)
class Town:
    """Who lives here and which times there are."""

    patients: Sequence[str]
    practices: Mapping[str, Practice]
    places: Sequence[Place]
    soon: Sequence[Place]
    days: Sequence[datetime]

    @classmethod
    def of(cls, practices: Mapping[str, Practice], patients: int, now: datetime, days: int, seed: int) -> "Town":
        """The town of a run; its patients are the same for the same seed."""
        rng = random.Random(seed)
        places: list[Place] = []
        soon: list[Place] = []
        for doctor, practice in practices.items():
            for offer in practice.offers:
                for start in times(practice, offer, now + timedelta(minutes=2), days):
                    (soon if start - now < _WALK_IN else places).append(Place(doctor, offer, start))
        return cls(
            patients=[str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(patients)],
            practices=practices,
            places=places,
            soon=soon,
            days=[now + timedelta(days=index) for index in range(days)],
        )


@dataclass(frozen=True, slots=True)
class Imagination:
    """Thinks of wishes for one client."""

    town: Town
    board: Board
    rng: random.Random
    admin: str

    def wish(self, weights: Mapping[str, int]) -> Wish | None:
        """The next wish; None when what came to mind needs an appointment that nobody has."""
        verb = self.rng.choices(list(weights), list(weights.values()))[0]
        return _WISHES[verb](self)

    def key(self) -> str:
        """A new request_id."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def book(self) -> Wish:
        """Exactly some time."""
        return self._book(self.rng.choice(self.town.places))

    def walk_in(self) -> Wish:
        """A time a few minutes ahead, so that the visit can take place."""
        return self._book(self.rng.choice(self.town.soon or self.town.places))

    def smart_book(self) -> Wish:
        """The first free time of a day with a specialty."""
        patient = self.rng.choice(self.town.patients)
        doctor = self.rng.choice(list(self.town.practices))
        practice = self.town.practices[doctor]
        offer = self.rng.choice(practice.offers)
        day = self.rng.choice(self.town.days)
        request = pb.SmartBookRequest(
            patient_id=patient,
            preferred_date=Date(year=day.year, month=day.month, day=day.day),
            preferred_time_start=TimeOfDay(hours=self.rng.choice((0, 9, 14))),
            appointment_type=_kind(offer),
            duration_minutes=offer.minutes,
            specialty_required=practice.specialty.lower(),
            timezone=practice.zone,
            accept_outside_window=self.rng.random() < 0.5,  # noqa: PLR2004  a coin
            request_id=self.key(),
        )
        intent = {"patient": patient, "kind": offer.kind, "specialty": practice.specialty}
        return Wish("SmartBook", Role.PATIENT, patient, request, intent)

    def reschedule(self) -> Wish | None:
        """Another time for an appointment."""
        current = self.board.pick(self.rng, "CONFIRMED", "PENDING", "HELD")
        if current is None:
            return None
        same = [p for p in self.town.places if p.doctor == current["doctor"] and p.offer.kind == current["kind"]]
        if not same:
            return None
        place = self.rng.choice(same)
        request = pb.RescheduleAppointmentRequest(
            id=current["id"], start_time=_stamp(place.start), etag=self._etag(current), request_id=self.key()
        )
        intent = {"id": current["id"], "start": place.start.isoformat(), "etag": request.etag}
        return Wish("RescheduleAppointment", *self._who(current), request, intent)

    def cancel(self) -> Wish | None:
        """An end of an appointment."""
        current = self.board.pick(self.rng, "CONFIRMED", "PENDING", "HELD", "IN_PROGRESS")
        if current is None:
            return None
        return self._change("CancelAppointment", pb.CancelAppointmentRequest, current, self._who(current))

    def start(self) -> Wish | None:
        """The doctor lets the patient in."""
        current = self.board.pick(self.rng, "CONFIRMED")
        if current is None:
            return None
        ready = [a for a in self.board.known.values() if a["status"] == "CONFIRMED" and _is_soon(a, self.town.days[0])]
        return self._by_doctor("StartAppointment", pb.StartAppointmentRequest, self.rng.choice(ready or [current]))

    def complete(self) -> Wish | None:
        """The doctor says that the visit is over."""
        current = self.board.pick(self.rng, "IN_PROGRESS")
        if current is None:
            return None
        return self._by_doctor("CompleteAppointment", pb.CompleteAppointmentRequest, current)

    def _book(self, place: Place) -> Wish:
        patient = self.rng.choice(self.town.patients)
        request = pb.BookRequest(
            patient_id=patient,
            doctor_id=place.doctor,
            appointment_date=_stamp(place.start),
            appointment_type=_kind(place.offer),
            duration_minutes=place.offer.minutes,
            request_id=self.key(),
        )
        role, subject = self.rng.choice(
            [(Role.PATIENT, patient), (Role.PATIENT, patient), (Role.DOCTOR, place.doctor), (Role.ADMIN, self.admin)]
        )
        return Wish("Book", role, subject, request, _place_intent(patient, place))

    def _change(
        self, verb: str, kind: Callable[..., Any], current: dict[str, Any], who: tuple[Role, str], **more: object
    ) -> Wish:
        request = kind(id=current["id"], etag=self._etag(current), request_id=self.key(), **more)
        return Wish(verb, *who, request, {"id": current["id"], "etag": request.etag, **more})

    def _by_doctor(self, verb: str, kind: Callable[..., Any], current: dict[str, Any]) -> Wish:
        return self._change(verb, kind, current, (Role.DOCTOR, current["doctor"]))

    def _who(self, current: dict[str, Any]) -> tuple[Role, str]:
        return self.rng.choice(
            [(Role.PATIENT, current["patient"]), (Role.DOCTOR, current["doctor"]), (Role.ADMIN, self.admin)]
        )

    def _etag(self, current: dict[str, Any]) -> str:
        return str(current["version"]) if self.rng.random() < 0.5 else ""  # noqa: PLR2004  a coin


_WISHES: Mapping[str, Callable[[Imagination], Wish | None]] = {
    "book": Imagination.book,
    "walk in": Imagination.walk_in,
    "smart book": Imagination.smart_book,
    "reschedule": Imagination.reschedule,
    "cancel": Imagination.cancel,
    "start": Imagination.start,
    "complete": Imagination.complete,
}


def _place_intent(patient: str, place: Place) -> dict[str, Any]:
    return {
        "patient": patient,
        "doctor": place.doctor,
        "kind": place.offer.kind,
        "start": place.start.isoformat(),
    }


def _is_soon(told: dict[str, Any], opened: datetime) -> bool:
    return datetime.fromisoformat(told["start"]) - opened < _WALK_IN


def _kind(offer: Offer) -> AppointmentType.ValueType:
    return AppointmentType.Value(f"APPOINTMENT_TYPE_{offer.kind}")


def _stamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant.astimezone(UTC))
    return stamp
