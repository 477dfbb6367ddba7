"""Search over gRPC: who finds whom, tokens that belong to one search, and what is refused."""

import base64
import json
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import search_pb2

from chassis.context import Role
from chassis.sql import Query
from tests.fix_doctors import DoctorClinic, a_doctor, seed
from tests.refusals import fields_of, refusal


async def search(clinic: DoctorClinic, role: Role = Role.PATIENT, **wish: Any) -> search_pb2.SearchDoctorsResponse:
    request = search_pb2.SearchDoctorsRequest(**wish)
    return await clinic.service.SearchDoctors(request, metadata=clinic.as_(role))


async def names(clinic: DoctorClinic, role: Role = Role.PATIENT, **wish: Any) -> list[str]:
    return [doctor.first_name for doctor in (await search(clinic, role, **wish)).doctors]


async def test_everyone_finds_public_doctors_and_administrators_the_hidden_ones_too(doctors: DoctorClinic) -> None:
    await seed(doctors.database, [a_doctor(first_name="Seen"), a_doctor(first_name="New", verified=False)], [])
    for role in Role:
        assert await names(doctors, role) == ["Seen"]
    assert await names(doctors, Role.ADMIN, verified=False) == ["New"]
    for hidden in ({"verified": False}, {"active": False}):
        for role in (Role.PATIENT, Role.DOCTOR):
            error = await refusal(search(doctors, role, **hidden))
            assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_found_doctor_shows_nothing_private(doctors: DoctorClinic) -> None:
    await seed(doctors.database, [a_doctor()], [])
    await doctors.database.execute(
        Query("fill", "UPDATE doctor SET email = 'a@b.example', license_number = 'L1', date_of_birth = '1980-01-01'")
    )
    (shown,) = (await search(doctors, Role.ADMIN)).doctors
    assert (shown.email, shown.license_number, shown.HasField("date_of_birth")) == ("", "", False)


async def test_pages_follow_each_other_and_a_token_is_good_for_its_own_search(doctors: DoctorClinic) -> None:
    await seed(doctors.database, [a_doctor(first_name=name) for name in "ABCDE"], [])
    order = search_pb2.DOCTOR_ORDER_NAME
    first = await search(doctors, order_by=order, page_size=2)
    second = await search(doctors, order_by=order, page_size=2, page_token=first.next_page_token)
    last = await search(doctors, order_by=order, page_size=2, page_token=second.next_page_token)
    assert [doctor.first_name for page in (first, second, last) for doctor in page.doctors] == list("ABCDE")
    assert last.next_page_token == ""
    for other in ({"order_by": search_pb2.DOCTOR_ORDER_RATING}, {"specialty": "Cardiology", "order_by": order}):
        error = await refusal(search(doctors, page_token=first.next_page_token, **other))
        assert fields_of(error) == ["page_token"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda parts: [parts[0], parts[1], "text"],
        lambda parts: [parts[0], parts[1], 1e300],
        lambda parts: [parts[0], parts[1], float("nan")],
        lambda parts: [parts[0], parts[1], None],
        lambda parts: [parts[0], parts[1]],
        lambda parts: [parts[0], parts[1], 4.0, 4.0],
        lambda parts: [parts[0], "nobody", 4.0],
        lambda parts: [parts[0], 7, 4.0],
        lambda _: {"a": 1},
        lambda _: 7,
    ],
)
async def test_a_forged_token_is_refused(doctors: DoctorClinic, forge: Any) -> None:
    await seed(doctors.database, [a_doctor() for _ in range(3)], [])
    token = (await search(doctors, page_size=1)).next_page_token
    forged = base64.urlsafe_b64encode(json.dumps(forge(json.loads(base64.urlsafe_b64decode(token)))).encode())
    error = await refusal(search(doctors, page_token=forged.decode()))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"query": "x" * 201}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"specialty": "x" * 101}, "specialty"),
        ({"language": "english!"}, "language"),
        ({"license_jurisdiction": "USA"}, "license_jurisdiction"),
        ({"min_rating": 5.1}, "min_rating"),
        ({"min_rating": 0.5}, "min_rating"),
        ({"min_rating": -1.0}, "min_rating"),
        ({"min_rating": float("nan")}, "min_rating"),
        ({"min_years_experience": -1}, "min_years_experience"),
        ({"min_years_experience": 81}, "min_years_experience"),
        ({"available_on": Date(year=2026, month=2, day=30)}, "available_on"),
        ({"available_on": Date(year=9999, month=12, day=31)}, "available_on"),
        ({"order_by": 9}, "order_by"),
        ({"page_size": -1}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": "é"}, "page_token"),
    ],
)
async def test_a_search_is_refused_by_the_field_that_is_wrong(
    doctors: DoctorClinic, wish: dict[str, Any], named: str
) -> None:
    error = await refusal(search(doctors, **wish))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, [named])
