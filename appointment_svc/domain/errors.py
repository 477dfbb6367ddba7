"""Everything that the appointment service refuses, and why."""

from datetime import date, datetime, timedelta

from kernel.errors import Kind, Refusal


def _minutes(span: timedelta) -> int:
    """Whole minutes, rounded up: the figure that would be enough."""
    return -int(-span.total_seconds() // 60)


class SlotTaken(Refusal):
    """The doctor is busy at that time."""

    kind = Kind.ABORTED
    reason = "SLOT_TAKEN"
    subject = "doctor"

    @classmethod
    def of(cls) -> "SlotTaken":
        """The refusal."""
        return cls("this time was taken by another booking")


class PatientBusy(Refusal):
    """The patient has another visit at that time."""

    kind = Kind.ABORTED
    reason = "PATIENT_BUSY"
    subject = "patient"

    @classmethod
    def of(cls) -> "PatientBusy":
        """The refusal."""
        return cls("the patient has another visit at this time")


class OutsideWorkingHours(Refusal):
    """The doctor does not work then, or not for visits of that kind."""

    kind = Kind.FAILED_PRECONDITION
    reason = "OUTSIDE_WORKING_HOURS"
    subject = "doctor"

    @classmethod
    def of(cls) -> "OutsideWorkingHours":
        """The refusal of a time at which the doctor does not work."""
        return cls("the visit does not fit into the doctor's hours for its kind")

    @classmethod
    def need_notice(cls, missing_minutes: int) -> "OutsideWorkingHours":
        """The refusal of hours that ask for more notice than the clinic does, with the minutes that are missing."""
        return cls(
            f"the doctor's hours then need {missing_minutes} more minutes of notice",
            metadata={"missing_minutes": str(missing_minutes)},
        )

    @classmethod
    def open_until(cls, last_day: date) -> "OutsideWorkingHours":
        """The refusal of hours that open later than the clinic's do, with the last day that can be booked."""
        return cls(
            f"the doctor's hours then can be booked until {last_day.isoformat()}",
            metadata={"last_day": last_day.isoformat()},
        )


class TooSoon(Refusal):
    """The visit would start before the notice that a booking needs."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_SOON"
    subject = "time"

    @classmethod
    def of(cls, start: datetime, now: datetime, notice: timedelta) -> "TooSoon":
        """The refusal, with the earliest start that would work."""
        missing = _minutes(notice - (start - now))
        return cls(
            f"needs {missing} more minutes of notice; at least {_minutes(notice)} minutes must lie ahead",
            metadata={"earliest_start_time": (now + notice).isoformat(), "missing_minutes": str(missing)},
        )


class TooFarAhead(Refusal):
    """The day lies past the horizon of bookings."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_FAR_AHEAD"
    subject = "time"

    @classmethod
    def of(cls, last_day: date, opens_on: date) -> "TooFarAhead":
        """The refusal, with the last day that works now, and the day from which the one asked for does."""
        return cls(
            f"bookings are open until {last_day.isoformat()}; that day opens on {opens_on.isoformat()}",
            metadata={"last_day": last_day.isoformat(), "opens_on": opens_on.isoformat()},
        )


class TooEarly(Refusal):
    """The visit has not come yet."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_EARLY"
    subject = "time"

    @classmethod
    def of(cls, what: str, earliest: datetime) -> "TooEarly":
        """The refusal, with the instant from which it would work."""
        return cls(
            f"a visit can be {what} from {earliest.isoformat()} on", metadata={"earliest_time": earliest.isoformat()}
        )


class TooLateToCancel(Refusal):
    """The visit starts too soon to be called off."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_LATE_TO_CANCEL"
    subject = "appointment"

    @classmethod
    def of(cls, start: datetime, now: datetime, notice: timedelta) -> "TooLateToCancel":
        """The refusal, with the last instant at which it could have been called off."""
        return cls(
            f"a visit can be called off until {_minutes(notice) // 60} hours before its start",
            metadata={"last_cancel_time": (start - notice).isoformat(), "now": now.isoformat()},
        )


class TooLateToReschedule(Refusal):
    """The visit starts too soon to be moved."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TOO_LATE_TO_RESCHEDULE"
    subject = "appointment"

    @classmethod
    def of(cls, start: datetime, notice: timedelta) -> "TooLateToReschedule":
        """The refusal, with the last instant at which it could have been moved."""
        return cls(
            f"a visit can be moved until {_minutes(notice) // 60} hours before its start",
            metadata={"last_reschedule_time": (start - notice).isoformat()},
        )


class DailyLimitReached(Refusal):
    """The patient has as many active visits that day as a day may hold."""

    kind = Kind.FAILED_PRECONDITION
    reason = "DAILY_LIMIT_REACHED"
    subject = "patient"

    @classmethod
    def of(cls, limit: int) -> "DailyLimitReached":
        """The refusal, with the limit."""
        return cls(
            f"a patient may have at most {limit} active appointments a day", metadata={"daily_limit": str(limit)}
        )

    @classmethod
    def on(cls, day: date, limit: int, next_free_day: date) -> "DailyLimitReached":
        """The refusal for a day that is known to be full, with the next one that has room."""
        return cls(
            f"the patient has {limit} of {limit} active appointments on {day.isoformat()}; the next day with room is "
            f"{next_free_day.isoformat()}",
            metadata={"daily_limit": str(limit), "day": day.isoformat(), "next_free_day": next_free_day.isoformat()},
        )


class DoctorDayFull(Refusal):
    """The doctor has as many visits that day as they want."""

    kind = Kind.FAILED_PRECONDITION
    reason = "DOCTOR_DAY_FULL"
    subject = "doctor"

    @classmethod
    def of(cls, day: date, limit: int) -> "DoctorDayFull":
        """The refusal, with the day and the doctor's maximum."""
        return cls(
            f"the doctor takes at most {limit} visits a day and {day.isoformat()} is full; choose another day",
            metadata={"day": day.isoformat(), "max_daily_appointments": str(limit)},
        )


class HoldExpired(Refusal):
    """The hold ran out before it was confirmed."""

    kind = Kind.FAILED_PRECONDITION
    reason = "HOLD_EXPIRED"
    subject = "appointment"

    @classmethod
    def of(cls, expired: datetime) -> "HoldExpired":
        """The refusal, with the instant at which the hold ran out."""
        return cls(
            f"the hold ran out at {expired.isoformat()}; hold or book the time anew",
            metadata={"hold_expire_time": expired.isoformat()},
        )


class NoAvailability(Refusal):
    """No doctor who fits is free in what was asked for."""

    kind = Kind.NOT_FOUND
    reason = "NO_AVAILABILITY"
    subject = "doctor"

    @classmethod
    def of(cls) -> "NoAvailability":
        """The refusal."""
        return cls("no fitting doctor is free at the time asked for")


class AppointmentNotFound(Refusal):
    """There is no such appointment for this caller."""

    kind = Kind.NOT_FOUND
    reason = "APPOINTMENT_NOT_FOUND"

    @classmethod
    def of(cls) -> "AppointmentNotFound":
        """The refusal: the same whether it does not exist or is someone else's."""
        return cls("there is no such appointment")


class WrongState(Refusal):
    """The appointment cannot go from where it stands to where it was sent."""

    kind = Kind.FAILED_PRECONDITION
    reason = "WRONG_STATE"
    subject = "appointment"

    @classmethod
    def of(cls, current: str, wanted: str) -> "WrongState":
        """The refusal, naming both states."""
        return cls(f"an appointment that is {current} cannot become {wanted}", metadata={"current_state": current})


class AlreadyRated(Refusal):
    """The visit has a rating already, and a rating is given once."""

    kind = Kind.ALREADY_EXISTS
    reason = "ALREADY_RATED"

    @classmethod
    def of(cls) -> "AlreadyRated":
        """The refusal."""
        return cls("this visit has been rated; a rating is given once and stays")


class FeatureDisabled(Refusal):
    """The clinic has switched this off."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FEATURE_DISABLED"
