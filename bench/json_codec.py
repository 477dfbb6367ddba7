"""The gateway's JSON beside protobuf's own `json_format`, in one process and without a network.

`python -m bench.json_codec`: an availability answer of 20 slots and a booking, each way; some ten seconds. Both sides
are shown to agree before they are timed.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import orjson
from google.protobuf import json_format
from telemed.appointment.v1.appointment_service_pb2 import SmartBookRequest
from telemed.doctor.v1.doctor_service_pb2 import GetAvailabilityResponse
from telemed.type.v1.scheduling_pb2 import APPOINTMENT_TYPE_FOLLOW_UP, SLOT_PRIORITY_PREFERRED, Slot

from bench.rounds import table
from gateway.codec.decode import Decoder
from gateway.codec.encode import Encoder
from gateway.codec.json_text import loads

_ROUNDS = 15
_SECONDS = 0.05
_FIRST, _STEP, _VISIT = 1_750_237_200, 2_400, 1_800
_SLOTS = 20
_ID = "0193f3a0-5b1e-7c3a-9f24-6d2f0f1c9b11"

Work = Callable[[], Any]


def main() -> None:
    """Measures and prints."""
    rows = []
    for name, message in (("an answer of 20 slots", _answer()), ("a booking", _booking())):
        encode, fill = Encoder().of(message.DESCRIPTOR), Decoder().of(message.DESCRIPTOR)
        ours = orjson.dumps(encode(message))
        theirs = json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None).encode()
        kind = type(message)

        def read_ours(kind: Any = kind, fill: Any = fill, text: bytes = ours) -> Any:
            found = kind()
            fill(found, loads(text))
            return found

        def read_theirs(kind: Any = kind, text: bytes = theirs) -> Any:
            return json_format.Parse(text, kind())

        def write_ours(encode: Any = encode, message: Any = message) -> Any:
            return orjson.dumps(encode(message))

        def write_theirs(message: Any = message) -> Any:
            return json_format.MessageToJson(message, indent=None)

        assert read_ours() == read_theirs() == message
        rows += [_row(f"{name}, written", write_ours, write_theirs), _row(f"{name}, read", read_ours, read_theirs)]
    table(["microseconds of processor time", "gateway", "json_format", "times as fast"], rows)


def _row(name: str, ours: Work, theirs: Work) -> tuple[str, str, str, str]:
    """Both in turn; the ratio is the median of those of the same round."""
    pairs = [(_cost(ours), _cost(theirs)) for _ in range(_ROUNDS)]
    ratio = median(there / here for here, there in pairs)
    here, there = (median(pair[side] for pair in pairs) for side in (0, 1))
    return name, f"{here:.1f}", f"{there:.1f}", f"{ratio:.1f}"


def _cost(work: Work) -> float:
    """Microseconds of processor time a call, over a twentieth of a second."""
    calls, began = 0, time.process_time()
    while (spent := time.process_time() - began) < _SECONDS:
        for _ in range(20):
            work()
        calls += 20
    return 1e6 * spent / calls


def _answer() -> GetAvailabilityResponse:
    answer = GetAvailabilityResponse(
        doctor_id=_ID, doctor_first_name="John", doctor_last_name="Smith", specialty="Cardiology", timezone="UTC"
    )
    for number in range(_SLOTS):
        slot = Slot(
            duration_minutes=30, appointment_type=APPOINTMENT_TYPE_FOLLOW_UP, slot_priority=SLOT_PRIORITY_PREFERRED
        )
        slot.start_time.seconds = _FIRST + number * _STEP
        slot.end_time.seconds = slot.start_time.seconds + _VISIT
        (answer.morning_slots if number < _SLOTS // 2 else answer.afternoon_slots).append(slot)
    return answer


def _booking() -> SmartBookRequest:
    # No civil types: json_format writes those as objects.
    return SmartBookRequest(
        patient_id=_ID,
        appointment_type=APPOINTMENT_TYPE_FOLLOW_UP,
        duration_minutes=30,
        timezone="America/New_York",
        specialty_required="cardiology",
        patient_notes="Follow-up consultation",
        allow_history_prioritization=True,
    )


if __name__ == "__main__":
    main()
