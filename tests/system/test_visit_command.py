"""`telemed visit`, where there is nothing to show; with a stack it is shown in tests/browser."""

from pathlib import Path

import pytest

from stack.cli import main


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["visit", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"telemed up --data {tmp_path}" in told.err
