"""Writes requirements.txt and requirements-dev.txt: every package of every platform, pinned by version and by hash.

`requirements.txt` is what runs, and what builds the editable install of the project itself. The resolver, uv, is
wanted here alone, so it lives in a throwaway environment. Neither file may hold an address of an index: the lock is
the same for everyone, whichever index they install from.
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = _ROOT / "pyproject.toml"
_COMPILE = ["pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url", "--quiet"]


def main() -> int:
    """Resolves anew, as freshly as pyproject.toml allows."""
    project = tomllib.loads(_PROJECT.read_text())
    oldest_python = project["project"]["requires-python"].removeprefix(">=")
    with tempfile.TemporaryDirectory() as folder:
        uv = _install_uv(Path(folder) / "venv")
        build = Path(folder) / "build.in"
        build.write_text("\n".join(project["build-system"]["requires"]) + "\n")
        for name, extra in (("requirements.txt", []), ("requirements-dev.txt", ["--extra", "dev"])):
            lock = Path(folder) / name
            command = [str(uv), *_COMPILE, "--python-version", oldest_python, *extra, "--output-file", str(lock)]
            subprocess.run([*command, _PROJECT.name, str(build)], check=True, cwd=_ROOT)
            text = lock.read_text().replace(f"{folder}/", "")
            _refuse_addresses(name, text)
            (_ROOT / name).write_text(text)
    return 0


def _install_uv(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", "uv"], check=True)
    return folder / "bin" / "uv"


def _refuse_addresses(name: str, text: str) -> None:
    for line in text.splitlines():
        if "://" in line or line.startswith("-"):
            raise SystemExit(f"{name} would hold an address or an option: {line}")


if __name__ == "__main__":
    sys.exit(main())
