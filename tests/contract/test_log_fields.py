"""What the code writes into log lines is on the list of fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

from chassis.log_fields import ALLOWED

ROOT = Path(__file__).parents[2]
PACKAGES = ("kernel", "chassis", "appointment_svc", "doctor_svc", "video_svc", "gateway")
# These put what they are given into the fields of a line.
PASS_ON = {"decided", "note_bug"}


def written(source: str) -> Iterator[str]:
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        for keyword in call.keywords:
            if keyword.arg == "extra":
                dicts = (node for node in ast.walk(keyword.value) if isinstance(node, ast.Dict))
                yield from (key.value for one in dicts for key in one.keys if isinstance(key, ast.Constant))
            elif name in PASS_ON and keyword.arg:
                yield keyword.arg


def test_every_field_that_is_written_is_on_the_list():
    sources = [path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    fields = {field for source in sources for field in written(source)}
    assert fields - set(ALLOWED) == set()
    assert len(fields) > 10
