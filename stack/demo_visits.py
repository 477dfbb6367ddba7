"""A year of visits behind the demo clinic and ten days of them ahead, made up the same way on every machine."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from appointment_svc.storage.imports import ImportedAppointment
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.slots import Slot
from stack.demo_chronicle import AHEAD, PAST, Chronicle
from stack.demo_diary import Diary
from stack.demo_doctors import DemoDoctor
from stack.demo_ids import demo_id
from stack.demo_patients import DemoPatient, patients

OPEN_VISIT = demo_id("visit", "open")
UPCOMING = 150
_SEED = 20250618
_GROUP_SIZE = 4
_FIVE_MINUTES = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# How many of 100 patients have completed 0, 1, … 8 visits.
_COMPLETED_SHARES = (8, 12, 16, 18, 16, 12, 8, 6, 4)
_MISSED_SHARES = (60, 30, 10)
_DOCTOR_SHARES = (6, 2, 1)
_DAYS_TO_LOOK = 14
# Two calendar days lie between a patient's visits: whatever the zones of the doctors, they can never overlap.
_DAYS_BETWEEN = 2
_FIRST_PATIENTS_GAPS = (160, 40)


def visits_of(doctors: Sequence[DemoDoctor], now: datetime) -> tuple[ImportedAppointment, ...]:
    """Every visit of the demo, as seen at `now` (aware): past ones in their final states, coming ones confirmed.

    The same doctors and the same instant give the same visits. One of them, OPEN_VISIT, starts at `open_slot`.
    """
    rng = Random(_SEED)  # noqa: S311 - repeatable on purpose, and nobody's secret
    chronicle = Chronicle(doctors, now, rng)
    first, awaited, *others = patients(doctors, rng)
    last_day = _first_patient(chronicle, first)
    for patient in (awaited, *others):
        _history(chronicle, patient, last_day, rng)
    _open_visit(chronicle, awaited)
    _group(chronicle, others[:_GROUP_SIZE], _group_leader(doctors))
    rng.shuffle(waiting := others[_GROUP_SIZE:])
    _upcoming(chronicle, waiting, UPCOMING - _GROUP_SIZE, rng)
    return tuple(chronicle.visits)


def open_slot(diary: Diary, now: datetime) -> Slot:
    """When a visit that both sides can join at once starts: at a multiple of five minutes, within ten minutes.

    The second one is taken where the first would run past midnight. Raises ValueError for a doctor who is off.
    """
    soon = now + (_EPOCH - now) % _FIVE_MINUTES
    for start in (soon, soon + _FIVE_MINUTES):
        if slot := diary.exact(AppointmentType.TELEHEALTH_CHECK_IN, start):
            return slot
    raise ValueError(f"{diary.doctor.name} must be on call at any hour")


def _open_visit(chronicle: Chronicle, patient: DemoPatient) -> None:
    (doctor,) = patient.doctors
    diary = chronicle.diary_of(doctor)
    slot = open_slot(diary, chronicle.now)
    offer = diary.offer(slot.kind, day_of(slot.start, doctor.zone))
    chronicle.add(patient, doctor, offer, slot, AppointmentStatus.CONFIRMED, visit_id=OPEN_VISIT)


def _first_patient(chronicle: Chronicle, patient: DemoPatient) -> date:
    """Three visits with one doctor, the last on the doctor's latest working day before today; tells which day.

    All other histories end before that day, so that whoever lists the newest completed visits meets this patient first.
    """
    (doctor,) = patient.doctors
    today = day_of(chronicle.now, doctor.zone)
    for gap in _FIRST_PATIENTS_GAPS:
        kind = chronicle.pick_kind(patient, doctor)
        chronicle.place(patient, doctor, kind, _days(today - timedelta(days=gap)), AppointmentStatus.COMPLETED)
    before = [today - timedelta(days=back) for back in range(1, _DAYS_TO_LOOK)]
    last = chronicle.place(patient, doctor, AppointmentType.GENERAL_CONSULTATION, before, AppointmentStatus.COMPLETED)
    if last is None:
        raise ValueError(f"{doctor.name} must work at least once in two weeks")
    return last


def _history(chronicle: Chronicle, patient: DemoPatient, end: date, rng: Random) -> None:
    """The patient's visits of the year before the day `end`, in order."""
    completed = rng.choices(range(len(_COMPLETED_SHARES)), _COMPLETED_SHARES)[0]
    missed = rng.choices(range(len(_MISSED_SHARES)), _MISSED_SHARES)[0]
    outcomes = [AppointmentStatus.COMPLETED] * completed
    outcomes += [
        rng.choice((AppointmentStatus.CANCELLED, AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW))
        for _ in range(missed)
    ]
    rng.shuffle(outcomes)
    begin = chronicle.now.date() - PAST + timedelta(days=_DAYS_BETWEEN)
    earliest = begin
    for offset, outcome in zip(sorted(rng.sample(range((end - begin).days), len(outcomes))), outcomes, strict=True):
        doctor = rng.choices(patient.doctors, _DOCTOR_SHARES[: len(patient.doctors)])[0]
        wanted = max(begin + timedelta(days=offset), earliest)
        days = [day for day in _days(wanted) if day < end]
        placed = chronicle.place(patient, doctor, chronicle.pick_kind(patient, doctor), days, outcome)
        if placed is not None:
            earliest = placed + timedelta(days=_DAYS_BETWEEN)


def _group_leader(doctors: Sequence[DemoDoctor]) -> DemoDoctor:
    return next(d for d in doctors if any(rule.kind is AppointmentType.GROUP_SESSION for rule in d.rules))


def _group(chronicle: Chronicle, members: Sequence[DemoPatient], leader: DemoDoctor) -> None:
    """A coming group session with several patients and seats left."""
    diary = chronicle.diary_of(leader)
    today = day_of(chronicle.now, leader.zone)
    for member in members:
        offers = (diary.offer(AppointmentType.GROUP_SESSION, day) for day in _days(today + timedelta(days=1)))
        offer = next(offer for offer in offers if offer.free)
        chronicle.add(member, leader, offer, offer.soonest(1)[0], AppointmentStatus.CONFIRMED)


def _upcoming(chronicle: Chronicle, waiting: Sequence[DemoPatient], count: int, rng: Random) -> None:
    """Confirmed visits for `count` of those who wait, one each, on days that are spread evenly."""
    left = count
    for patient in waiting:
        if not left:
            return
        doctor = patient.doctors[0]
        kind = chronicle.pick_kind(patient, doctor)
        today = day_of(chronicle.now, doctor.zone)
        days = [today + timedelta(days=ahead) for ahead in rng.sample(range(AHEAD.days + 1), AHEAD.days + 1)]
        left -= chronicle.place(patient, doctor, kind, days, AppointmentStatus.CONFIRMED) is not None


def _days(first: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range(_DAYS_TO_LOOK)]
