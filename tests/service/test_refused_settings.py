"""A process that is configured wrongly ends at once and says which setting to mend: no stack, and no value."""

import os
import subprocess
import sys

import pytest

from tests.fix_stack import ROOT

URL = "postgresql://telemed:secret@somewhere/telemed"
GOOD = {"TELEMED_JWKS_FILE": "/somewhere/jwks.json", "TELEMED_DEMO": "true"}
HALF = "set both TELEMED_TLS_CERT_FILE and TELEMED_TLS_KEY_FILE, or neither"


def said_by(module: str, **variables: str) -> list[str]:
    """What a process writes before it ends with 1."""
    left = {name: value for name, value in os.environ.items() if not name.startswith(("TELEMED_", "REDIS_"))}
    ran = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=left | GOOD | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    return ran.stderr.splitlines()


@pytest.mark.parametrize("module", ["appointment_svc", "doctor_svc", "video_svc", "gateway"])
def test_half_of_a_pair_is_named_by_its_variables(module: str):
    assert said_by(module, TELEMED_TLS_CERT_FILE="/somewhere/tls.crt") == [f"cannot start: {HALF}"]


def test_each_wrong_setting_has_a_line_and_what_it_held_has_none():
    said = said_by("doctor_svc", DOCTOR_DATABASE_URL=URL, DOCTOR_PORT="many", DOCTOR_POOL_SIZE="0")
    assert [line.partition(" Input ")[0] for line in said] == [
        "cannot start: DoctorSettings.port:",
        "cannot start: DoctorSettings.pool_size:",
        "cannot start: DoctorSettings.appointment_target: Field required",
    ]
    assert not any("secret" in line or "many" in line for line in said)
