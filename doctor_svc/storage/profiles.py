"""Profiles between rows and domain objects."""

from doctor_svc.domain.doctor import ConsultationMode, Doctor, PrivateDetails, Profile
from doctor_svc.domain.specialties import specialty_keys
from doctor_svc.storage.rows import Row


def doctor_of(row: Row) -> Doctor:
    """A doctor as shown."""
    return Doctor(
        doctor_id=row["doctor_id"],
        profile=Profile(
            first_name=row["first_name"],
            last_name=row["last_name"],
            specialty=row["specialty"],
            timezone=row["timezone"],
            sub_specialties=tuple(row["sub_specialties"]),
            bio=row["bio"],
            years_experience=row["years_experience"],
            languages=tuple(row["languages"]),
            license_jurisdictions=tuple(row["license_jurisdictions"]),
            max_daily_appointments=row["max_daily_appointments"],
            consultation_modes=tuple(map(ConsultationMode, row["consultation_modes"])),
            requires_approval=row["requires_approval"],
        ),
        is_verified=row["is_verified"],
        rating=row["rating"],
        rating_count=row["rating_count"],
        version=row["version"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        is_active=row["is_active"],
    )


def private_of(row: Row) -> PrivateDetails:
    """What is never shown, from the one query that reads it."""
    return PrivateDetails(row["email"] or "", row["license_number"] or "", row["date_of_birth"])


def doctor_row(doctor: Doctor, private: PrivateDetails) -> dict[str, object]:
    """The parameters of insert_doctor and put_doctor."""
    profile = doctor.profile
    return {
        "doctor_id": doctor.doctor_id,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "specialty": profile.specialty,
        "sub_specialties": list(profile.sub_specialties),
        "specialty_keys": specialty_keys((profile.specialty, *profile.sub_specialties)),
        "bio": profile.bio,
        "years_experience": profile.years_experience,
        "languages": list(profile.languages),
        "timezone": profile.timezone,
        "license_jurisdictions": list(profile.license_jurisdictions),
        "max_daily_appointments": profile.max_daily_appointments,
        "consultation_modes": [mode.value for mode in profile.consultation_modes],
        "requires_approval": profile.requires_approval,
        "is_verified": doctor.is_verified,
        "is_active": doctor.is_active,
        "rating": doctor.rating,
        "rating_count": doctor.rating_count,
        "email": private.email or None,
        "license_number": private.license_number or None,
        "date_of_birth": private.date_of_birth,
        "version": doctor.version,
        "create_time": doctor.create_time,
        "update_time": doctor.update_time,
    }
