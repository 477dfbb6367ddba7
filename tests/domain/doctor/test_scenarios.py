"""The table of cases through the pure generator; the same table goes through HTTP in tests/system."""

from datetime import UTC, datetime

import pytest
from telemed.doctor.v1.availability_pb2 import PreviewAvailabilityRequest

from doctor_svc.api.preview import to_scene
from doctor_svc.domain.preview import slots_in
from doctor_svc.domain.window import BookingPolicy
from gateway.codec.decode import Decoder
from tests.scenarios import availability_cases

FILL = Decoder().of(PreviewAvailabilityRequest.DESCRIPTOR)


@pytest.mark.parametrize("case", availability_cases(), ids=lambda case: case["case"])
def test_the_generator_answers_the_table(case):
    request = PreviewAvailabilityRequest()
    FILL(request, case["request"])
    found = slots_in(to_scene(request, BookingPolicy(), datetime(2000, 1, 1, tzinfo=UTC)))
    assert [f"{slot.start:%Y-%m-%dT%H:%M:%SZ}" for slot in found] == case["slots"]
