"""The patients of the demo clinic: no more than ids, with the zone that they live in and the doctors that they see."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from stack.demo_doctors import CARDIOLOGIST, ON_CALL, DemoDoctor
from stack.demo_ids import demo_id

PATIENTS = 200

# People see doctors who are awake when they are.
_NEIGHBOURS = {"America": "west", "Africa": "middle", "Europe": "middle", "Asia": "east", "Australia": "east"}


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One patient, numbered from 1. `doctors` are one to three; the first is seen most."""

    number: int
    timezone: str
    doctors: tuple[DemoDoctor, ...]

    @property
    def id(self) -> str:
        """The patient's id."""
        return patient_id(self.number)


def patient_id(number: int) -> str:
    """The id of a patient, by number."""
    return demo_id("patient", number)


# The first patient has been to one doctor, three times, and has nothing booked; the second is about to be seen.
FIRST_PATIENT = patient_id(1)
AWAITED_PATIENT = patient_id(2)


def patients(doctors: Sequence[DemoDoctor], rng: Random) -> Iterator[DemoPatient]:
    """All patients; none of them sees a doctor who is not verified."""
    verified = [doctor for doctor in doctors if doctor.doctor.is_verified]
    by_id = {doctor.id: doctor for doctor in verified}
    yield _patient(1, [by_id[CARDIOLOGIST]])
    yield _patient(2, [by_id[ON_CALL]])
    for number in range(3, PATIENTS + 1):
        own = rng.choice(verified)
        near = [doctor for doctor in verified if _region(doctor) == _region(own) and doctor is not own]
        yield _patient(number, [own, *rng.sample(near, rng.choice((0, 1, 1, 2)))])


def _patient(number: int, doctors: Iterable[DemoDoctor]) -> DemoPatient:
    seen = tuple(doctors)
    return DemoPatient(number, seen[0].doctor.profile.timezone, seen)


def _region(doctor: DemoDoctor) -> str:
    return _NEIGHBOURS[doctor.doctor.profile.timezone.partition("/")[0]]
