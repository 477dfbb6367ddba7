"""What the clients of a run want: wishes drawn from a seeded source, over few doctors, patients and times."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1.scheduling_pb2 import AppointmentType

from chassis.context import Role
from proof.caller import Wish
from proof.timetable import Offer
from proof.town import WALK_IN, Board, Place, Town

# How often each thing is wished for, where a campaign says nothing else.
USUAL: Mapping[str, int] = {
    "book": 12,
    "walk in": 3,
    "smart book": 4,
    "reschedule": 5,
    "cancel": 5,
    "start": 3,
    "complete": 3,
    "hold": 5,
    "confirm": 4,
    "approve": 2,
    "rate": 2,
}
_MOSTLY = 0.8


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
        return self._book(self._place())

    def walk_in(self) -> Wish:
        """A time a few minutes ahead, so that the visit can take place."""
        return self._book(self.rng.choice(self.town.soon)) if self.town.soon else self.book()

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
        same = self._places_like(current)
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
        if ready and current["status"] == "CONFIRMED" and self.rng.random() < _MOSTLY:
            current = self.rng.choice(ready)
        return self._by_doctor("StartAppointment", pb.StartAppointmentRequest, current)

    def complete(self) -> Wish | None:
        """The doctor says that the visit is over."""
        current = self.board.pick(self.rng, "IN_PROGRESS")
        if current is None:
            return None
        return self._by_doctor("CompleteAppointment", pb.CompleteAppointmentRequest, current)

    def hold(self) -> Wish:
        """Some time, kept while the patient thinks."""
        return self._book(self._place(), "HoldSlot", pb.HoldSlotRequest)

    def confirm(self) -> Wish | None:
        """A hold becomes a visit, if it is not too late."""
        current = self.board.pick(self.rng, "HELD")
        if current is None:
            return None
        return self._change("ConfirmHold", pb.ConfirmHoldRequest, current, self._who(current))

    def approve(self) -> Wish | None:
        """The doctor agrees to a visit."""
        current = self.board.pick(self.rng, "PENDING")
        if current is None:
            return None
        return self._by_doctor("ApproveAppointment", pb.ApproveAppointmentRequest, current)

    def rate(self) -> Wish | None:
        """The patient says what the visit was worth."""
        current = self.board.pick(self.rng, "COMPLETED")
        if current is None:
            return None
        rating = self.rng.randint(1, 5)
        request = pb.RateVisitRequest(id=current["id"], rating=rating, request_id=self.key())
        return Wish("RateVisit", Role.PATIENT, current["patient"], request, {"id": current["id"], "rating": rating})

    def again(self, told: dict[str, Any]) -> Wish | None:
        """The time of an appointment for somebody else."""
        start = datetime.fromisoformat(told["start"])
        place = next((place for place in self._places_like(told) if place.start == start), None)
        return self._book(place) if place is not None else None

    def _place(self) -> Place:
        """Every doctor and kind is wanted as much as any other, however many times there are."""
        return self.rng.choice(self.rng.choice(self.town.places))

    def _places_like(self, told: dict[str, Any]) -> Sequence[Place]:
        """The times of the same doctor and kind; none for a kind that clients do not ask for."""
        for places in self.town.places:
            if places[0].doctor == told["doctor"] and places[0].offer.kind == told["kind"]:
                return places
        return ()

    def _book(self, place: Place, verb: str = "Book", kind: Callable[..., Any] = pb.BookRequest) -> Wish:
        patient = self.rng.choice(self.town.patients)
        request = kind(
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
        return Wish(verb, role, subject, request, _place_intent(patient, place))

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
    "hold": Imagination.hold,
    "confirm": Imagination.confirm,
    "approve": Imagination.approve,
    "rate": Imagination.rate,
}


def _place_intent(patient: str, place: Place) -> dict[str, Any]:
    return {
        "patient": patient,
        "doctor": place.doctor,
        "kind": place.offer.kind,
        "start": place.start.isoformat(),
    }


def _is_soon(told: dict[str, Any], opened: datetime) -> bool:
    return datetime.fromisoformat(told["start"]) - opened < WALK_IN


def _kind(offer: Offer) -> AppointmentType.ValueType:
    return AppointmentType.Value(f"APPOINTMENT_TYPE_{offer.kind}")


def _stamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant.astimezone(UTC))
    return stamp
