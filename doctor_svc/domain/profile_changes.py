"""What becomes of a doctor when some fields are changed, and when a change calls for a new look at the licence."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from doctor_svc.domain.doctor import Doctor, PrivateDetails, Profile, require_valid

PROFILE_FIELDS = frozenset(field.name for field in fields(Profile))
PRIVATE_FIELDS = frozenset(field.name for field in fields(PrivateDetails))


@dataclass(frozen=True, slots=True)
class Patch:
    """The wished values of the `named` fields of PROFILE_FIELDS and PRIVATE_FIELDS; the other values mean nothing."""

    profile: Profile
    private: PrivateDetails
    named: frozenset[str]


def patched(
    doctor: Doctor, private: PrivateDetails, patch: Patch, now: datetime, *, by_own_hand: bool
) -> tuple[Doctor, PrivateDetails]:
    """The doctor as changed, of the next version; a change of nothing is the same version.

    Who was verified is so no longer after changing, by their own hand, what an administrator had checked: the name,
    the licence number, or where it is valid. Raises InvalidArgument with every field that is wrong.
    """
    wished = replace(doctor.profile, **_values(patch.profile, patch.named & PROFILE_FIELDS))
    kept = replace(private, **_values(patch.private, patch.named & PRIVATE_FIELDS))
    require_valid(wished, kept, now.date())
    if (wished, kept) == (doctor.profile, private):
        return doctor, private
    unchecked = by_own_hand and _checked(wished, kept) != _checked(doctor.profile, private)
    changed = replace(
        doctor,
        profile=wished,
        is_verified=doctor.is_verified and not unchecked,
        version=doctor.version + 1,
        update_time=now,
    )
    return changed, kept


def with_activity(doctor: Doctor, now: datetime, *, is_active: bool) -> Doctor:
    """The doctor taking new visits or not, of the next version; what is so already is the same version."""
    if doctor.is_active == is_active:
        return doctor
    return replace(doctor, is_active=is_active, version=doctor.version + 1, update_time=now)


def _checked(profile: Profile, private: PrivateDetails) -> tuple[str, str, str, frozenset[str]]:
    """What an administrator looks at before saying that a licence is good."""
    return profile.first_name, profile.last_name, private.license_number, frozenset(profile.license_jurisdictions)


def _values(source: Profile | PrivateDetails, names: frozenset[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
