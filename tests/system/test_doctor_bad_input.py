"""Every field of every request of the doctor service, wrong in turn, through the gateway: named, and nothing stored.

The fields come from the descriptors: one that no row below speaks of fails the first test.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from telemed.doctor.v1 import doctor_service_pb2

from tests.bad_fields import Leaf, leaves_of, send, wrong_requests
from tests.fix_clinic import Clinic, in_days

SERVICE = doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"]
LEAVES = list(leaves_of(SERVICE))
DAY, LATER = in_days(8).isoformat(), in_days(9).isoformat()
STORED = """SELECT (SELECT count(*) FROM doctor), (SELECT sum(version) FROM doctor), (SELECT count(*) FROM idempotency),
                   (SELECT count(*) FROM availability_rule), (SELECT sum(version) FROM availability_rule),
                   (SELECT count(*) FROM availability_override)"""

NO_UUID = ["7", "{" + str(uuid4()) + "}", str(uuid4()) + "0", "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"]
MINUTES = [-1, 4, 241, -(2**31)]
BUFFER = [-1, 121]
SEATS = [-1, 101]
PAGE = [-1, 201]
TOKEN = ["x", "====", "bm9uc2Vuc2U="]
LINE = ["x" * 101, "two\nlines"]
OLD, FAR = "0001-01-01", "9999-12-31"
REVISION = ["x", "-1", "00000000-0000-0000-0000-000000000000:", "9" * 30]

# Values that a field's type allows and its meaning does not, by the message that has the field. A pair is a value and
# the name that the answer gives, where that is not the field's own; "…" in it stands for the message's place.
ROWS: Mapping[str, Mapping[str, list[Any]]] = {
    "Doctor": {
        "first_name": ["", " ", *LINE],
        "last_name": ["", *LINE],
        "specialty": ["", *LINE],
        "sub_specialties": ["", *LINE, (["x"] * 21, "sub_specialties")],
        "bio": ["x" * 4001],
        "years_experience": [-1, 81],
        "languages": ["", "no tag", "x" * 36, (["en"] * 21, "languages")],
        "timezone": ["", "Mars/Olympus", "America", "../../etc/passwd", "x" * 300],
        "email": ["nobody", "a@b", "a b@c.example", "x" * 255 + "@c.example"],
        "license_number": LINE,
        "date_of_birth": [OLD, FAR, "1899-12-31"],
        "license_jurisdictions": [
            "USA",
            "",
            "US-NYNY",
            (["US"] + [f"{a}{b}" for a in "ABCDE" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"], "license_jurisdictions"),
        ],
        "max_daily_appointments": [-1, 201],
    },
    "AvailabilityRule": {
        "day_of_week": [-1, 7],
        "specific_date": [LATER],
        "duration_minutes": MINUTES,
        "buffer_minutes": BUFFER,
        "max_concurrent_appointments": SEATS,
        "morning_start_time": [("12:00", "…morning_end_time"), ("11:45", "…morning_end_time")],
        "morning_end_time": ["09:00", "08:00", "09:10", ("14:30", "…afternoon_start_time")],
        "afternoon_start_time": [("17:00", "…afternoon_end_time"), "11:00"],
        "afternoon_end_time": ["14:00", "14:10"],
        "min_notice_minutes": [-1, 43_201],
        "max_advance_days": [-1, 731],
    },
    "AvailabilityOverride": {
        "start_date": [OLD, FAR, (in_days(30).isoformat(), "…end_date")],
        "end_date": ["2020-01-01", in_days(8 + 367).isoformat(), FAR],
        "start_time": [("20:00", "…end_time"), ("19:45", "…end_time")],
        "end_time": ["17:00", "16:00", "17:10"],
        "duration_minutes": MINUTES,
        "buffer_minutes": BUFFER,
        "max_concurrent_appointments": SEATS,
        "note": ["x" * 501, "two\nlines"],
    },
    "PreviewVisit": {
        "start_time": [("2030-01-01T00:00:00Z", "…end_time"), "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"],
        "end_time": ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"],
        "buffer_minutes": BUFFER,
    },
    "UpdateDoctorRequest": {"update_mask": ["nonsense", "first_name,nope"]},
    "UpdateAvailabilityRequest": {"rule_id": NO_UUID, "update_mask": ["nonsense"]},
    "DeleteAvailabilityRequest": {"rule_id": NO_UUID},
    "DeleteOverrideRequest": {"override_id": NO_UUID},
    "ListAvailabilityRulesRequest": {"page_size": PAGE, "page_token": TOKEN},
    "ListOverridesRequest": {"from_date": ["2026-02-30"], "page_size": PAGE, "page_token": TOKEN},
    "ListSlotsRequest": {
        "from_date": [(OLD, "to"), (in_days(60).isoformat(), "to")],
        "to_date": [in_days(7).isoformat(), in_days(39).isoformat()],
        "duration_minutes": MINUTES,
        "page_size": PAGE,
        "page_token": TOKEN,
    },
    "GetAvailabilityRequest": {"date": [OLD, FAR], "duration_minutes": MINUTES},
    "SearchAvailabilityRequest": {
        "date": [OLD, FAR],
        "timezone": ["Mars/Olympus", "America"],
        "specialty": ["x" * 101, "two\nlines"],
        "duration_minutes": MINUTES,
        "page_size": PAGE,
        "page_token": TOKEN,
    },
    "PreviewAvailabilityRequest": {
        "timezone": ["Mars/Olympus", "America"],
        "now": ["1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"],
        "min_notice_minutes": [-1, 43_201],
        "max_advance_days": [-1, 731],
        "from_date": [(OLD, "to"), (FAR, "to"), (in_days(60).isoformat(), "to")],
        "to_date": [in_days(7).isoformat(), in_days(39).isoformat()],
        "duration_minutes": MINUTES,
        "max_daily_appointments": [-1, 201],
    },
    "MatchDoctorsRequest": {
        "patient_id": NO_UUID,
        "doctor_id": NO_UUID,
        "duration_minutes": MINUTES,
        "preferred_date": [OLD, FAR],
        "preferred_time_start": [("13:00", "preferred_time_end")],
        "preferred_time_end": ["08:00"],
        "timezone": ["Mars/Olympus", "America"],
        "specialty_required": ["x" * 101, "two\nlines"],
        "start_time": ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"],
        "max_results": [-1, 51],
        "language": ["no tag", "x" * 40],
        "min_rating": [-1.0, 0.5, 5.1],
        "location": ["USA", "1"],
    },
    "RecommendDoctorsRequest": {"patient_id": NO_UUID, "specialty": ["x" * 101, "two\nlines"], "max_results": [-1, 51]},
    "SearchDoctorsRequest": {
        "query": ["x" * 201],
        "specialty": ["x" * 101],
        "language": ["no tag"],
        "license_jurisdiction": ["USA"],
        "min_rating": [-1.0, 0.5, 5.1],
        "min_years_experience": [-1, 81],
        "available_on": [OLD, FAR],
        "page_size": [-1, 101],
        "page_token": TOKEN,
    },
    "ListAvailabilitySummariesRequest": {
        "specialty": ["x" * 101, "two\nlines"],
        "page_size": PAGE,
        "page_token": TOKEN,
    },
    "ListAccessesRequest": {"patient_id": NO_UUID, "page_size": PAGE, "page_token": TOKEN},
    "ExportPatientDataRequest": {"patient_id": NO_UUID, "page_size": PAGE, "page_token": TOKEN},
    "ErasePatientDataRequest": {"patient_id": NO_UUID},
    "GetDoctorStatsRequest": {
        "from_date": [OLD, FAR, ("2020-01-01", "to")],
        "to_date": [OLD, FAR, in_days(7).isoformat()],
    },
}
# Fields that mean the same wherever they are, and those of which every value of the type is good.
EVERYWHERE: Mapping[str, list[Any]] = {"doctor_id": NO_UUID, "at_least_revision": REVISION, "request_id": ["x" * 256]}
FREE_KINDS = ("bool", "enum")
FREE_TEXTS = {"etag"}  # any text may be a version; one that is not the current one is refused as ETAG_MISMATCH


def rows_of(leaf: Leaf) -> list[Any]:
    own = ROWS.get(leaf.owner, {})
    return own[leaf.field.name] if leaf.field.name in own else EVERYWHERE.get(leaf.field.name, [])


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_every_field_has_a_row(leaf: Leaf):
    assert rows_of(leaf) or leaf.kind in FREE_KINDS or leaf.field.name in FREE_TEXTS


def test_every_row_has_a_field():
    known = {(leaf.owner, leaf.field.name) for leaf in LEAVES}
    assert {(owner, name) for owner, rows in ROWS.items() for name in rows} <= known
    assert set(EVERYWHERE) <= {leaf.field.name for leaf in LEAVES}


RULE = {
    "day_of_week": 1, "morning_start_time": "09:00", "morning_end_time": "12:00", "afternoon_start_time": "14:00",
    "afternoon_end_time": "17:00",
}  # fmt: skip
EXTRA = {
    "kind": "ExtraHours", "start_date": DAY, "end_date": LATER, "start_time": "17:00", "end_time": "20:00",
}  # fmt: skip


def good_requests(doctor_id: str, rule_id: str, override_id: str) -> Mapping[str, dict[str, Any]]:
    """A request to every RPC that is refused for nothing but the one field that a test spoils."""
    its = {"doctor_id": doctor_id}
    profile = {"first_name": "Zora", "last_name": "Quill", "specialty": "Rheumatology", "timezone": "UTC"}
    days = {"from_date": DAY, "to_date": LATER}
    visit = {"start_time": f"{DAY}T09:00:00Z", "end_time": f"{DAY}T09:30:00Z"}
    return {
        "CreateDoctor": {"doctor": profile},
        "GetDoctor": its,
        "UpdateDoctor": {"doctor": its | {"bio": "Other."}},
        "DeactivateDoctor": its,
        "ActivateDoctor": its,
        "VerifyDoctor": its,
        "SearchDoctors": {},
        "SetAvailability": its | {"rule": RULE | {"appointment_type": "FollowUp"}},
        "ListAvailabilityRules": its,
        "UpdateAvailability": its | {"rule_id": rule_id, "rule": RULE},
        "DeleteAvailability": its | {"rule_id": rule_id},
        "CreateOverride": its | {"override": EXTRA},
        "ListOverrides": its | {"from_date": DAY},
        "DeleteOverride": its | {"override_id": override_id},
        "GetAvailability": its | {"date": DAY},
        "ListSlots": its | days,
        "SearchAvailability": {"date": DAY},
        "PreviewAvailability": days | {"rules": [RULE], "overrides": [EXTRA], "visits": [visit]},
        "MatchDoctors": {
            "appointment_type": "GeneralConsultation",
            "preferred_date": DAY,
            "preferred_time_start": "09:00",
            "preferred_time_end": "12:00",
        },
        "RecommendDoctors": {},
        "ListAvailabilitySummaries": {},
        "GetDoctorStats": its | {"to_date": DAY, "from_date": DAY},
        "ListAccesses": {"patient_id": str(uuid4())},
        "ExportPatientData": {"patient_id": str(uuid4())},
        "ErasePatientData": {"patient_id": str(uuid4())},
    }


@pytest.fixture(scope="module")
def goods(clinic: Clinic) -> Mapping[str, dict[str, Any]]:
    doctor_id = clinic.new_doctor()
    path = f"/doctors/{doctor_id}"
    override_id = clinic.ok("POST", f"{path}/overrides", {"kind": "Sick", "start_date": in_days(80).isoformat()})
    rules = clinic.ok("GET", f"{path}/availability-rules")["rules"]
    rule_id = next(rule["rule_id"] for rule in rules if rule["day_of_week"] == 1)
    return good_requests(doctor_id, rule_id, override_id["override"]["override_id"])


@pytest.mark.parametrize("rpc", [method.name for method in SERVICE.methods])
def test_a_wrong_field_is_named_and_nothing_is_stored(clinic: Clinic, goods: Mapping[str, dict[str, Any]], rpc: str):
    wrongs = [
        wrong for leaf in LEAVES if leaf.method.name == rpc for wrong in wrong_requests(leaf, goods[rpc], rows_of(leaf))
    ]
    before = clinic.rows("doctor", STORED)
    failures = [failure for wrong in wrongs if (failure := send(clinic, wrong))]
    assert not failures, "\n".join(failures)
    assert clinic.rows("doctor", STORED) == before
    assert wrongs
