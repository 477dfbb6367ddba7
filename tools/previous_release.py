"""Runs the storage tests of an earlier release on today's schema: `python -m tools.previous_release [REF] [ARGUMENTS]`.

A release is rolled out replica by replica after its migrations, so for a while the code before it works on the new
schema, and a rollback needs no way back for the schema. REF is a tag or commit; by default the newest tag, or without
one the commit before the newest migration.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from stack.databases import SERVICES

_ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Runs them and returns pytest's exit code."""
    arguments = sys.argv[1:]
    ref = arguments.pop(0) if arguments and not arguments[0].startswith(("-", "tests/")) else _previous()
    with tempfile.TemporaryDirectory(prefix="telemed-previous-") as folder:
        release = Path(folder)
        release.chmod(0o755)
        with tarfile.open(fileobj=BytesIO(_git("archive", ref))) as archive:
            archive.extractall(release, filter="data")
        added = [name for service in SERVICES for name in _put_schema(release, service)]
        print(f"{_git('log', '-1', '--format=%h %s', ref).decode().strip()}")
        print(
            f"on {len(added)} later migration(s): {', '.join(added) or 'none, so this proves nothing new'}", flush=True
        )
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(arguments or ["tests/storage"])]
        environment = os.environ | {"PYTHONPATH": f"{release}:{release / 'gen'}", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=release, env=environment, check=False).returncode


def _put_schema(release: Path, service: str) -> list[str]:
    """Lays today's migrations over the release's, and tells which of them it did not have."""
    there = release / f"{service}_svc" / "storage" / "migrations"
    added = []
    for step in sorted((_ROOT / there.relative_to(release)).glob("*.sql")):
        if not (there / step.name).exists():
            added.append(f"{service} {step.stem}")
        shutil.copy(step, there / step.name)
    return added


def _previous() -> str:
    tags = _git("tag", "--sort=-creatordate", "--merged", "HEAD").decode().split()
    if tags:
        return tags[0]
    folders = [f"{service}_svc/storage/migrations" for service in SERVICES]
    newest = _git("log", "-1", "--diff-filter=A", "--format=%H", "--", *folders).decode().strip()
    return f"{newest}~1"


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())
