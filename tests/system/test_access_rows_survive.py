"""Whoever got an answer is on record: also when the service is killed right after it, through the whole stack."""

import json
import os
import signal
from contextlib import redirect_stdout
from io import StringIO
from uuid import uuid4

from stack.cli import main
from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import wait_until

READS = 5


def booked(clinic: Clinic) -> dict[str, str]:
    doctor, patient = clinic.new_doctor(), str(uuid4())
    wish = {
        "patient_id": patient,
        "doctor_id": doctor,
        "appointment_date": f"{in_days(9)}T09:00:00Z",
        "appointment_type": "GeneralConsultation",
        "patient_notes": "told to nobody else",
    }
    answer: dict[str, str] = clinic.ok("POST", "/appointments/book", wish)["appointment"]
    return answer


def test_an_answered_read_has_its_row_although_the_service_was_killed_at_once(clinic: Clinic):
    visit = booked(clinic)
    count = f"SELECT count(*) FROM access WHERE patient_ids = ARRAY['{visit['patient_id']}'::uuid] AND outcome = 'OK'"
    for answered in range(1, READS + 1):
        clinic.ok("GET", f"/appointments/{visit['id']}")
        pid = clinic.state.processes["appointment"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        [(rows,)] = clinic.rows("appointment", count)
        assert rows >= answered
        wait_until(lambda: clinic.call("GET", f"/appointments/{uuid4()}").status_code == 404, "back", 60)


def test_everything_of_a_patient_is_exported_into_one_document(clinic: Clinic):
    visit = booked(clinic)
    printed = StringIO()
    with redirect_stdout(printed):
        assert main(["export", "--patient", visit["patient_id"], "--data", str(clinic.data)]) == 0
    document = json.loads(printed.getvalue())
    kinds = [next(iter(record)) for record in document["appointment"]]
    assert kinds[:3] == ["appointment", "claim", "event"]
    assert document["appointment"][0]["appointment"]["patient_notes"] == "told to nobody else"
    assert {"doctor", "video", "patient_id", "export_time"} <= set(document)
    assert main(["audit", "verify", "--data", str(clinic.data)]) == 0
