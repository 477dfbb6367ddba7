"""The quick form of the proof, as `make proof-quick` runs it: a storm that the system stands, and mutants of it."""

import os
import subprocess
import sys

import pytest

from tests.fix_stack import ROOT


@pytest.mark.timeout(400)
def test_the_quick_proof_holds_and_its_checker_catches_what_it_should():
    done = subprocess.run(
        [sys.executable, "-m", "proof", "--quick", "--seed", "7"],
        cwd=ROOT,
        env=os.environ | {"GRPC_ENABLE_FORK_SUPPORT": "0"},
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
