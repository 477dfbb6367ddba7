"""What `make run` shows: a clinic with people in it, one visit with the patient's own doctor, and what is next."""

import json
import shutil
import subprocess

import pytest

from stack.probes import call
from tests.fix_stack import ROOT, RunningStack, StartStack

pytestmark = pytest.mark.timeout(180)


def shown_objects(stack: RunningStack) -> list[dict[str, object]]:
    """The JSON objects on the console: request and answer."""
    text = stack.output.read_text()
    starts = [index for index in range(1, len(text)) if text[index - 1 : index + 1] == "\n{"]
    return [json.JSONDecoder().raw_decode(text, start)[0] for start in starts]


def test_the_first_booking_goes_to_the_patients_own_doctor_and_every_line_shown_works(start_stack: StartStack) -> None:
    stack = start_stack("--book")
    console = stack.output.read_text()
    request, answer = shown_objects(stack)
    assert answer["is_preferred_doctor"] is True, console
    assert answer["appointment"]["patient_id"] == request["patient_id"]
    assert answer["match_reasons"][0].startswith("Previous patient - ")
    assert answer["alternative_slots"]
    lines = [line.strip() for line in console.splitlines() if line.strip().startswith("curl ")]
    assert len(lines) == 3
    bash = shutil.which("bash")
    assert bash is not None
    answers = [
        json.loads(subprocess.run([bash, "-c", line], cwd=ROOT, capture_output=True, check=True).stdout)
        for line in lines
    ]
    day, booked, listed = answers
    assert day["doctor_id"] == answer["appointment"]["doctor_id"]
    assert booked["appointment"]["status"] == "Confirmed"
    ids = {appointment["id"] for appointment in listed["appointments"]}
    assert {answer["appointment"]["id"], booked["appointment"]["id"]} <= ids


def test_the_next_up_on_the_same_data_books_again_and_seeds_nothing(start_stack: StartStack) -> None:
    stack = start_stack("--book")
    first = shown_objects(stack)[1]["appointment"]
    assert stack.stop() == 0
    again = start_stack("--book", data=stack.data, port=stack.port)
    second = shown_objects(again)[1]["appointment"]
    assert second["id"] != first["id"]
    assert call(again.port, "GET", "/readyz").status == 200
