"""The doctors of the demo clinic, from demo_doctors.csv: profiles, licences, ratings and weekly hours."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.doctor import Doctor, PrivateDetails, Profile
from kernel.civil_time import day_of, zone_named
from stack.demo_hours import rules_for
from stack.demo_ids import demo_id

_TABLE = Path(__file__).with_name("demo_doctors.csv")

# Two of them have a part in the tour: the first patient's own doctor, and the one who can be called at any hour.
CARDIOLOGIST = demo_id("doctor", "Helena Castellanos")
ON_CALL = demo_id("doctor", "Emeka Adjei-Mensah")


@dataclass(frozen=True, slots=True)
class DemoDoctor:
    """One doctor as the doctor service stores it."""

    doctor: Doctor
    private: PrivateDetails
    rules: tuple[AvailabilityRule, ...]

    @property
    def id(self) -> str:
        """The doctor's id."""
        return self.doctor.doctor_id

    @property
    def zone(self) -> ZoneInfo:
        """Where the doctor's wall clock hangs."""
        return zone_named(self.doctor.profile.timezone)

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.doctor.profile.first_name} {self.doctor.profile.last_name}"


def roster(opened: datetime) -> tuple[DemoDoctor, ...]:
    """Every doctor, of a clinic that opened at that aware instant; hours of single dates lie in the week after it."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        return tuple(_doctor(row, opened) for row in csv.DictReader(table, delimiter="|"))


def _doctor(row: Mapping[str, str], opened: datetime) -> DemoDoctor:
    doctor_id = demo_id("doctor", f"{row['first_name']} {row['last_name']}")
    profile = Profile(
        first_name=row["first_name"],
        last_name=row["last_name"],
        specialty=row["specialty"],
        timezone=row["timezone"],
        sub_specialties=_listed(row["sub_specialties"]),
        bio=row["bio"],
        years_experience=int(row["years"]),
        languages=_listed(row["languages"]),
        license_jurisdictions=_listed(row["licences"]),
    )
    doctor = Doctor(
        doctor_id=doctor_id,
        profile=profile,
        is_verified=row["verified"] == "yes",
        rating=float(row["rating"]),
        rating_count=int(row["ratings"]),
        version=1,
        create_time=opened,
        update_time=opened,
    )
    private = PrivateDetails(email=f"{doctor_id[:8]}@clinic.example", license_number=f"DEMO-{doctor_id[:8].upper()}")
    opening_day = day_of(opened, zone_named(profile.timezone))
    return DemoDoctor(doctor, private, tuple(rules_for(doctor_id, row["hours"].split(), opening_day)))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
