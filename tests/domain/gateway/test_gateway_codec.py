"""JSON to messages and back: what is written, and that what is written is read as the same message."""

import orjson
import pytest
from gateway_contract import EVERYTHING, Everything
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from message_strategies import messages

from gateway.codec.decode import Decoder
from gateway.codec.encode import Encoder
from gateway.codec.json_text import loads
from gateway.discovery import installed_services

ENCODER, DECODER = Encoder(), Decoder()


def reachable(message: Descriptor, found: dict[str, Descriptor]) -> None:
    if message.full_name not in found:
        found[message.full_name] = message
        for field in message.fields:
            if field.message_type is not None and not field.message_type.GetOptions().map_entry:
                reachable(field.message_type, found)


def contract_messages() -> dict[str, Descriptor]:
    found: dict[str, Descriptor] = {}
    for service in installed_services("telemed"):
        for method in service.methods:
            reachable(method.input_type, found)
            reachable(method.output_type, found)
    return {name: message for name, message in sorted(found.items()) if name.startswith("telemed.")}


CONTRACT = contract_messages()


def round_trip(message):
    copy = type(message)()
    DECODER.of(message.DESCRIPTOR)(copy, loads(orjson.dumps(ENCODER.of(message.DESCRIPTOR)(message))))
    return copy


def decoded(text: str):
    message = Everything()
    DECODER.of(EVERYTHING)(message, loads(text.encode()))
    return message


def test_the_contract_is_found_without_naming_a_service():
    assert "telemed.appointment.v1.SmartBookRequest" in CONTRACT
    assert "telemed.doctor.v1.AvailabilityRule" in CONTRACT


@pytest.mark.parametrize("name", CONTRACT)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_message_of_the_contract_survives_the_way_out_and_in(name, data):
    message = data.draw(messages(CONTRACT[name]))
    assert round_trip(message) == message


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@example(message=Everything(single=3.4028234663852886e38, number=1.7976931348623157e308))
@given(message=messages(EVERYTHING))
def test_every_shape_of_field_survives_the_way_out_and_in(message):
    assert round_trip(message) == message


def test_fields_without_presence_are_always_written_and_absent_ones_are_left_out():
    written = ENCODER.of(CONTRACT["telemed.doctor.v1.GetAvailabilityResponse"])
    response = GetMessageClass(CONTRACT["telemed.doctor.v1.GetAvailabilityResponse"])(doctor_id="d")
    slot = response.morning_slots.add(duration_minutes=30, appointment_type=1, slot_priority=2)
    slot.start_time.seconds = 1_750_237_200
    assert written(response) == {
        "doctor_id": "d",
        "doctor_first_name": "",
        "doctor_last_name": "",
        "specialty": "",
        "timezone": "",
        "morning_slots": [
            {
                "start_time": "2025-06-18T09:00:00Z",
                "duration_minutes": 30,
                "appointment_type": "GeneralConsultation",
                "slot_priority": "Preferred",
            }
        ],
        "afternoon_slots": [],
    }


def test_an_optional_field_is_written_when_it_is_there_even_as_its_default():
    encode = ENCODER.of(EVERYTHING)
    assert "maybe_flag" not in encode(Everything())
    assert encode(Everything(maybe_flag=False))["maybe_flag"] is False
    assert encode(Everything(second_choice=0))["second_choice"] == 0


def test_an_enum_that_was_not_given_is_written_as_unspecified_and_an_unknown_one_as_its_number():
    encode = ENCODER.of(EVERYTHING)
    assert encode(Everything())["colour"] == "Unspecified"
    assert encode(Everything(colour=77))["colour"] == 77


def test_wide_integers_are_written_as_text_and_32_bit_floats_in_their_shortest_form():
    written = ENCODER.of(EVERYTHING)(Everything(big_int=2**53 + 1, single=0.1, data=b"\xff"))
    assert (written["big_int"], written["single"], written["data"]) == ("9007199254740993", 0.1, "/w==")


@pytest.mark.parametrize(
    "spelling",
    ["DarkRed", "darkred", "DARK_RED", "dark_red", "darkRed", "COVER_COLOUR_DARK_RED", "coverColourDarkRed"],
)
def test_an_enum_value_is_understood_in_every_usual_spelling(spelling):
    assert decoded(f'{{"colour": "{spelling}"}}').colour == 1


@pytest.mark.parametrize("name", ["from_moment", "fromMoment", "from"])
def test_a_field_is_understood_by_its_snake_case_camel_case_and_json_name(name):
    assert decoded(f'{{"{name}": "1970-01-01T00:00:01Z"}}').from_moment.seconds == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:00", (9, 0, 0, 0)),
        ("24:00", (24, 0, 0, 0)),
        ("23:59:30", (23, 59, 30, 0)),
        ("23:59:30.25", (23, 59, 30, 250_000_000)),
        ("2025-06-18T09:00:00Z", (9, 0, 0, 0)),
        ("2025-06-18T09:30:00+05:30", (9, 30, 0, 0)),
    ],
)
def test_a_time_of_day_may_be_a_timestamp_and_then_its_own_clock_counts(text, expected):
    wall = decoded(f'{{"wall": "{text}"}}').wall
    assert (wall.hours, wall.minutes, wall.seconds, wall.nanos) == expected


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("1970-01-01T01:00:00+01:00", 0, 0),
        ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
        ("1970-01-01t00:00:00.000000001z", 0, 1),
    ],
)
def test_a_timestamp_is_read_with_any_offset_to_the_nanosecond(text, seconds, nanos):
    moment = decoded(f'{{"moment": "{text}"}}').moment
    assert (moment.seconds, moment.nanos) == (seconds, nanos)


def test_null_means_absent_but_is_a_value_where_any_value_may_stand():
    message = decoded('{"text": null, "child": null, "first_choice": null, "second_choice": 2, "anything": null}')
    assert not message.HasField("child")
    assert message.WhichOneof("choice") == "second_choice"
    assert message.HasField("anything")


def test_an_empty_object_is_a_message_that_is_there():
    assert decoded('{"child": {}}').HasField("child")


def test_an_empty_body_is_an_empty_object():
    assert loads(b"") == loads(b" \n") == {}
