"""A day with as many visits as the doctor takes on in one: nothing is free, and what would work is said."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from doctor_builders import FOLLOW_UP, GENERAL, WEDNESDAY, agenda, at, busy, rule

from doctor_svc.domain.demands import Reason, Rule
from doctor_svc.domain.exclusion import time_reasons
from doctor_svc.domain.matching import Candidate, DoctorProfile
from doctor_svc.domain.offers import nearest_free, offer_at, offer_in
from doctor_svc.domain.proposals import Aim, Contender
from doctor_svc.domain.slots import Agenda, Visit, day_slots
from doctor_svc.domain.window import Window

A_DAY = timedelta(days=1)
VISIT = Visit(GENERAL)
MORNING = Window(at("09:00"), at("12:00"))
EVERY_DAY = [rule(on=day, rule_id=str(day)) for day in range(7)]
TWO = [busy("09:00", "09:40"), busy("22:00", "22:25", FOLLOW_UP)]


def reasons(doctor: Agenda, aim: Aim) -> list[Reason]:
    offer = offer_in(doctor, VISIT, aim.window) if aim.start is None else offer_at(doctor, VISIT, aim.start)
    profile = DoctorProfile("doctor-1", "Ada", "Quist", "Cardiology", (), "UTC", 0.0, 0, 0)
    return list(time_reasons(Contender(doctor, Candidate(profile, 0, offer)), VISIT, aim))


def test_a_full_day_keeps_its_slots_in_the_total_and_none_of_them_is_free():
    found = day_slots(agenda(taken=TWO, max_daily=2), VISIT, WEDNESDAY)
    assert (found.total, found.booked, found.is_full, list(found.free())) == (4, 1, True, [])
    offer = offer_in(agenda(taken=TWO, max_daily=2), VISIT, MORNING)
    assert (offer.free, offer.total, offer.soonest()) == (0, 4, [])


def test_one_visit_fewer_leaves_the_day_as_it_was():
    free = list(day_slots(agenda(taken=TWO), VISIT, WEDNESDAY).free())
    assert list(day_slots(agenda(taken=TWO, max_daily=3), VISIT, WEDNESDAY).free()) == free
    assert len(free) == 3


def test_an_exact_time_of_a_full_day_is_told_and_is_not_free():
    offer = offer_at(agenda(taken=TWO, max_daily=2), VISIT, at("10:20"))
    assert (offer.exact is not None, offer.free) == (True, 0)


def test_a_visit_counts_on_the_day_of_the_doctors_calendar_on_which_it_starts():
    late = [busy("23:50", "23:59", day=WEDNESDAY - A_DAY), busy("15:00", "15:30")]
    tokyo = ZoneInfo("Asia/Tokyo")  # 23:50 UTC of Tuesday is Wednesday there, 15:00 UTC of Wednesday is Thursday
    assert [agenda(taken=late, zone=zone, max_daily=1).is_full(WEDNESDAY) for zone in (UTC, tokyo)] == [True, True]
    assert [agenda(taken=late, zone=zone, max_daily=2).is_full(WEDNESDAY) for zone in (UTC, tokyo)] == [False, False]
    assert agenda(taken=late, zone=tokyo, max_daily=1).is_full(WEDNESDAY + A_DAY)


def test_the_nearest_free_times_lie_on_other_days():
    doctor = agenda(*EVERY_DAY, taken=TWO, max_daily=2)
    assert {slot.start.date() for slot in nearest_free(doctor, VISIT, MORNING, 6)} == {
        WEDNESDAY - A_DAY,
        WEDNESDAY + A_DAY,
    }


def test_the_reason_names_the_next_day_that_works():
    thursday = [busy("09:00", "09:40", day=WEDNESDAY + A_DAY), busy("11:00", "11:40", day=WEDNESDAY + A_DAY)]
    doctor = agenda(*EVERY_DAY, taken=TWO + thursday, max_daily=2)
    expected = [
        Reason(
            Rule.DOCTOR_DAY_FULL,
            "takes no more than 2 visits a day; the next day with a free time is 2026-06-19",
        )
    ]
    assert reasons(doctor, Aim(Window(at("10:20"), at("10:20")), start=at("10:20"))) == expected
    booked_too = reasons(doctor, Aim(MORNING))
    assert [reason.rule for reason in booked_too] == [Rule.BUSY, Rule.DOCTOR_DAY_FULL]
    assert booked_too[1:] == expected


def test_without_such_a_day_the_reason_names_none():
    full = [busy("09:00", "09:40")]
    (reason,) = reasons(
        agenda(rule(on=WEDNESDAY), taken=full, max_daily=1), Aim(Window(at("10:20"), at("10:20")), start=at("10:20"))
    )
    assert reason.sentence == "takes no more than 1 visit a day"


def test_a_day_off_is_told_as_such_and_not_as_full():
    doctor = agenda(rule(on=4), taken=TWO, max_daily=2)
    assert [reason.rule for reason in reasons(doctor, Aim(MORNING))] == [Rule.OUTSIDE_HOURS]
