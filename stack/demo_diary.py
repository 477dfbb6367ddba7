"""A demo doctor's diary while the demo's visits are being made up: what is free on a day, and what has been taken."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from doctor_svc.domain.availability import kinds_served
from doctor_svc.domain.busy import Busy, BusyTimes
from doctor_svc.domain.matching import Candidate, DoctorProfile, Wish, components_of, score_of
from doctor_svc.domain.offers import Offer, offer_in
from doctor_svc.domain.slots import Agenda, Visit, exact_slot
from doctor_svc.domain.window import BookingPolicy, Window
from kernel.appointment_types import AppointmentType
from kernel.civil_time import end_of_wall, instant_of
from kernel.slots import Slot
from stack.demo_doctors import DemoDoctor


class Diary:
    """One doctor's time from a year before `now` on. Slots come from the generator that patients book through."""

    def __init__(self, doctor: DemoDoctor, now: datetime, *, past: timedelta, ahead: timedelta) -> None:
        """An empty diary of the days from `now - past` to `now + ahead`; both are whole days."""
        self.doctor = doctor
        self.kinds = kinds_served(doctor.rules)
        self._busy: list[Busy] = []
        policy = BookingPolicy(notice=timedelta(), horizon_days=(past + ahead).days)
        self._agenda = Agenda.at(now - past, doctor.zone, doctor.rules, (), policy)

    def offer(self, kind: AppointmentType, day: date) -> Offer:
        """What is left for visits of a kind on a day of the doctor's calendar."""
        zone = self.doctor.zone
        window = Window(instant_of(day, time.min, zone), end_of_wall(day, None, zone) - datetime.resolution)
        return offer_in(replace(self._agenda, busy=BusyTimes(self._busy)), Visit(kind), window)

    def exact(self, kind: AppointmentType, start: datetime) -> Slot | None:
        """The slot that starts just then, or None where the doctor does not work; whether it is free is not asked."""
        return exact_slot(self._agenda, Visit(kind), start)

    def take(self, slot: Slot) -> int:
        """Takes a free slot and tells the seat."""
        end = slot.end + slot.buffer
        used = {busy.seat for busy in self._busy if busy.start < end and slot.start < busy.end}
        seat = min(set(range(slot.capacity)) - used)
        self._busy.append(Busy(slot.start, end, slot.kind, seat))
        return seat

    def score(self, offer: Offer, previous_visits: int) -> float:
        """How well the doctor matched somebody who asked for the doctor's specialty, by the rule of matching."""
        doctor, profile = self.doctor.doctor, self.doctor.doctor.profile
        candidate = Candidate(
            profile=DoctorProfile(
                doctor_id=doctor.doctor_id,
                first_name=profile.first_name,
                last_name=profile.last_name,
                specialty=profile.specialty,
                sub_specialties=profile.sub_specialties,
                timezone=profile.timezone,
                rating=doctor.rating,
                rating_count=doctor.rating_count,
                years_experience=profile.years_experience,
            ),
            previous_visits=previous_visits,
            offer=offer,
        )
        return score_of(components_of(candidate, Wish(profile.specialty)), allow_history=True)
