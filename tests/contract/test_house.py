"""The house stays easy to walk through: small files, a label on each room, and SQL in storage alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "kernel",
    "chassis",
    "appointment_svc",
    "doctor_svc",
    "video_svc",
    "gateway",
    "stack",
    "tools",
    "bench",
    "proof",
)
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MOST_LINES = 300
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET)\b", re.DOTALL)
# The chassis keeps its own ledger of migrations; the stack asks whether a demo is there; bench and the drill measure.
MAY_SPEAK_SQL = ("chassis/migrations.py", "stack/", "bench/", "tools/restore_drill.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_and_says_what_it_is(path: Path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text)), "every module begins with a sentence that labels the room"


def test_sql_is_written_in_storage_alone():
    speakers = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    outside = {name for name in speakers if "/storage/" not in name and not name.startswith(MAY_SPEAK_SQL)}
    assert outside == set()


def test_no_file_speaks_of_a_registry_or_of_this_machine():
    tracked = [*ROOT.glob("requirements*.txt"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    for path in tracked:
        assert not re.search(r"https?://|--index-url|--find-links|file://", path.read_text()), path.name
