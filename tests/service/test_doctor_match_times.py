"""MatchDoctors over gRPC: which times come with a doctor, inside a window, around it, and at one exact start."""

from datetime import UTC, datetime, time, timedelta

from google.type.timeofday_pb2 import TimeOfDay

from chassis.protos import to_timestamp
from doctor_svc.domain.availability import WallBlock
from tests.fix_doctors import WORKING_DAYS, DoctorClinic, a_doctor, a_rule, seed
from tests.service.matching_harness import (
    MORNING_OF_MONDAY,
    NINE,
    book,
    completed_visits,
    ids,
    match,
    starts,
    working_mondays,
)


async def test_times_outside_the_window_are_offered_beside_it_the_nearest_first(doctors: DoctorClinic) -> None:
    doctor = a_doctor(zone="America/New_York")
    hours = {"afternoon": WallBlock(time(13), time(14))}
    await seed(doctors.database, [doctor], [a_rule(doctor, day, **hours) for day in (1, 2)])
    wish = MORNING_OF_MONDAY | {"preferred_time_end": TimeOfDay(hours=10), "timezone": "America/New_York"}
    # New York is five hours behind UTC on that day.
    revision = await book(doctors, doctor, NINE + timedelta(hours=7), NINE + timedelta(days=1, hours=5))
    (found,) = await match(doctors, at_least_revision=revision, **wish)
    assert starts(found.slots) == ["Mon 14:00", "Mon 14:40"]
    assert starts(found.other_slots)[:4] == ["Mon 15:20", "Mon 18:00", "Tue 14:40", "Tue 15:20"]
    assert len(found.other_slots) == 8


async def test_a_full_doctor_comes_after_those_with_slots_and_offers_other_times(doctors: DoctorClinic) -> None:
    full, free = a_doctor(rating=5.0, rating_count=99), a_doctor(rating=2.0, rating_count=99)
    await seed(doctors.database, [full, free], [a_rule(doctor, day) for doctor in (full, free) for day in WORKING_DAYS])
    await completed_visits(doctors, full, 1)
    revision = await book(doctors, full, *(NINE + timedelta(minutes=40 * place) for place in range(4)))
    first, second = await match(doctors, at_least_revision=revision, **MORNING_OF_MONDAY)
    assert (first.doctor_id, second.doctor_id) == (free.doctor_id, full.doctor_id)
    assert second.match_score > first.match_score
    assert not second.slots
    assert second.components.availability == 0
    assert starts(second.other_slots)[0] == "Tue 09:00"


async def test_without_a_date_the_soonest_times_come_first(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 2), a_rule(doctor, 5)])
    (found,) = await match(doctors)
    assert starts(found.slots) == [f"{day} {hour}" for day in ("Tue", "Fri") for hour in HOURS]
    assert starts(found.other_slots)[0] == "Tue 09:00"
    assert found.other_slots[0].slot.start_time.ToDatetime(UTC) == datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


HOURS = ("09:00", "09:40", "10:20", "11:00")


async def test_without_a_date_all_of_the_horizon_is_searched_when_the_next_days_are_full(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    rule = a_rule(doctor, 0, day_of_week=None, specific_date=datetime(2026, 5, 12, tzinfo=UTC).date())
    await seed(doctors.database, [doctor], [rule])
    (found,) = await match(doctors)
    assert found.slots[0].slot.start_time.ToDatetime(UTC) == datetime(2026, 5, 12, 9, 0, tzinfo=UTC)


async def test_an_exact_time_is_answered_whether_booked_or_not_and_the_free_doctor_first(doctors: DoctorClinic) -> None:
    booked, free, away = (a_doctor(rating=rating, rating_count=50) for rating in (4.0, 2.0, 5.0))
    await working_mondays(doctors, booked, free)
    await seed(doctors.database, [away], [a_rule(away, 3)])
    wanted = NINE + timedelta(minutes=40)
    await completed_visits(doctors, booked, 1)
    await completed_visits(doctors, away, 2)
    revision = await book(doctors, booked, wanted)
    found = await match(doctors, start_time=to_timestamp(wanted), at_least_revision=revision)
    assert ids(found) == [free.doctor_id, booked.doctor_id, away.doctor_id]
    first, second, third = found
    assert starts([first.exact_slot, second.exact_slot]) == ["Mon 09:40", "Mon 09:40"]
    assert not third.HasField("exact_slot")
    assert starts(first.slots) == ["Mon 09:40", "Mon 09:00", "Mon 10:20", "Mon 11:00"]
    assert starts(second.slots) == ["Mon 09:00", "Mon 10:20", "Mon 11:00"]
    assert starts(third.other_slots)[0] == "Wed 09:00"


async def test_an_exact_time_off_the_grid_lies_inside_the_hours_all_the_same(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await working_mondays(doctors, doctor)
    inside = to_timestamp(NINE + timedelta(minutes=5))
    (found,) = await match(doctors, doctor_id=doctor.doctor_id, start_time=inside, duration_minutes=20)
    assert starts([found.exact_slot]) == ["Mon 09:05"]
    assert found.exact_slot.slot.duration_minutes == 20
    outside = to_timestamp(NINE + timedelta(hours=2, minutes=45))
    (found,) = await match(doctors, doctor_id=doctor.doctor_id, start_time=outside)
    assert not found.HasField("exact_slot")
    assert starts(found.slots)[0] == "Mon 11:00"
