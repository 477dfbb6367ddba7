"""Every field of every request that books, holds, moves or calls off, wrong in turn, through the gateway.

The fields come from the descriptors: one that no row below speaks of fails the first test.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from telemed.appointment.v1 import appointment_service_pb2

from tests.bad_fields import Leaf, leaves_of, send, wrong_requests
from tests.fix_clinic import Clinic, in_days

SERVICE = appointment_service_pb2.DESCRIPTOR.services_by_name["AppointmentService"]
RPCS = ("SmartBook", "Book", "HoldSlot", "RescheduleAppointment", "CancelAppointment", "CheckConflicts")
LEAVES = [leaf for leaf in leaves_of(SERVICE) if leaf.method.name in RPCS]
DAY = in_days(8).isoformat()
STORED = """SELECT (SELECT count(*) FROM appointment), (SELECT sum(version) FROM appointment),
                   (SELECT count(*) FROM doctor_claim), (SELECT count(*) FROM patient_claim),
                   (SELECT count(*) FROM event), (SELECT count(*) FROM idempotency)"""

NO_UUID = ["7", "{" + str(uuid4()) + "}", str(uuid4()) + "0", "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"]
MINUTES = [-1, 4, 241, -(2**31)]
LONG_AGO, FAR_AHEAD = "0001-01-01T00:00:00Z", "9999-12-31T23:59:00Z"
EXACT = {"appointment_date": [f"{DAY}T09:00:30Z", f"{DAY}T09:00:00.5Z", LONG_AGO, FAR_AHEAD]}

# Values that a field's type allows and its meaning does not, by the message that has the field. A pair is a value and
# the name that the answer gives, where that is not the field's own.
ROWS: Mapping[str, Mapping[str, list[Any]]] = {
    "SmartBookRequest": {
        "preferred_date": ["0001-01-01", "1969-12-31", "9999-12-31"],
        "preferred_time_start": [("13:00", "preferred_time_end")],
        "preferred_time_end": ["08:00"],
    },
    "BookRequest": EXACT,
    "HoldSlotRequest": EXACT,
    "RescheduleAppointmentRequest": {"start_time": [f"{DAY}T10:00:30Z", LONG_AGO, FAR_AHEAD]},
    "CancelAppointmentRequest": {"reason": ["x" * 501]},
    "CheckConflictsRequest": {
        "start_time": [(f"{DAY}T11:00:00Z", "end_time"), (f"{DAY}T09:00:30Z", "end_time"), LONG_AGO, FAR_AHEAD],
        "end_time": [f"{DAY}T09:00:00Z", f"{DAY}T09:04:00Z", f"{DAY}T13:01:00Z", f"{DAY}T09:30:30Z", FAR_AHEAD],
        "exclude_appointment_id": NO_UUID,
    },
    "RuleOverride": {"rules": [([], "override.rules")], "reason": ["", "  ", "x" * 501]},
}
# Fields that mean the same wherever they are, and those of which every value of the type is good.
EVERYWHERE: Mapping[str, list[Any]] = {
    "id": NO_UUID,
    "patient_id": NO_UUID,
    "doctor_id": NO_UUID,
    "duration_minutes": MINUTES,
    "timezone": ["Mars/Olympus", "America", "../../etc/passwd"],
    "specialty_required": ["x" * 101],
    "patient_notes": ["x" * 2001],
    "request_id": ["x" * 256],
}
FREE_KINDS = ("bool", "enum")
FREE_TEXTS = {"etag"}  # any text may be a version; one that is not the current one is refused as ETAG_MISMATCH


def rows_of(leaf: Leaf) -> list[Any]:
    own = ROWS.get(leaf.owner, {})
    return own[leaf.field.name] if leaf.field.name in own else EVERYWHERE.get(leaf.field.name, [])


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_every_field_has_a_row(leaf: Leaf):
    assert rows_of(leaf) or leaf.kind in FREE_KINDS or leaf.field.name in FREE_TEXTS


@pytest.fixture(scope="module")
def goods(clinic: Clinic) -> Mapping[str, dict[str, Any]]:
    """A request to each RPC that is refused for nothing but the one field that a test spoils."""
    doctor = clinic.new_doctor()
    who = {"patient_id": str(uuid4()), "appointment_type": "GeneralConsultation"}
    exact = who | {"doctor_id": doctor, "appointment_date": f"{DAY}T09:00:00Z"}
    booked = clinic.ok("POST", "/appointments/book", exact | {"appointment_date": f"{DAY}T14:00:00Z"})
    its = {"id": booked["appointment"]["id"]}
    early = {"override": {"rules": ["TOO_SOON"], "reason": "asked for by telephone"}}
    late = {"override": {"rules": ["TOO_LATE_TO_CANCEL"], "reason": "asked for by telephone"}}
    window = {"preferred_date": DAY, "preferred_time_start": "09:00", "preferred_time_end": "12:00"}
    return {
        "SmartBook": who | window,
        "Book": exact | early,
        "HoldSlot": exact,
        "RescheduleAppointment": its | {"start_time": f"{DAY}T10:00:00Z"} | early,
        "CancelAppointment": its | late,
        "CheckConflicts": {
            "doctor_id": doctor,
            "start_time": f"{DAY}T09:00:00Z",
            "end_time": f"{DAY}T09:30:00Z",
        },
    }


@pytest.mark.parametrize("rpc", RPCS)
def test_a_wrong_field_is_named_and_nothing_is_stored(clinic: Clinic, goods: Mapping[str, dict[str, Any]], rpc: str):
    wrongs = [
        wrong for leaf in LEAVES if leaf.method.name == rpc for wrong in wrong_requests(leaf, goods[rpc], rows_of(leaf))
    ]
    before = clinic.rows("appointment", STORED)
    failures = [failure for wrong in wrongs if (failure := send(clinic, wrong))]
    assert not failures, "\n".join(failures)
    assert clinic.rows("appointment", STORED) == before
    assert wrongs
