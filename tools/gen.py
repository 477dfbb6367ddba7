"""Compiles protos/ into gen/ (`make gen`), and says whether gen/ is what protos/ compile to (`--check`).

Also writes the descriptor image that buf reads, so that lint and breaking check need no module of the outside world.
"""

import argparse
import filecmp
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PROTOS = _ROOT / "protos"
_GENERATED = _ROOT / "gen"
_EXAMPLES = ("examples.json", "samples.json")
_ERRORS_PAGE = _ROOT / "docs" / "errors.md"
_ERROR_ROW = re.compile(r"^\| ([A-Z_]+) \|(?: [A-Z_]+ \|)? (\d{3}) \| (.+) \|$", re.MULTILINE)
_BASELINE = _PROTOS / "baseline.binpb"
_WRITTEN = {".py", ".pyi", ".binpb", ".json"}
_BUF_CONFIG = _PROTOS / "buf.yaml"


def main() -> int:
    """Runs what the command line asks for. Returns 1 when a check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    verb = parser.add_mutually_exclusive_group()
    verb.add_argument("--check", action="store_true", help="fail when gen/ is not what protos/ compile to")
    verb.add_argument("--buf", action="store_true", help="lint the protos and compare them with protos/baseline.binpb")
    verb.add_argument("--accept", action="store_true", help="make today's protos the baseline of the breaking check")
    chosen = parser.parse_args()
    if chosen.check:
        return _check()
    if chosen.buf:
        return _buf()
    if chosen.accept:
        _write_image(_BASELINE, with_comments=False)
        return 0
    return _renew()


def _renew() -> int:
    """Touches only what differs, so that whoever works beside keeps working."""
    with _compiled() as fresh:
        for name in _differences(fresh, _GENERATED):
            if (fresh / name).exists():
                (_GENERATED / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fresh / name, _GENERATED / name)
            else:
                (_GENERATED / name).unlink()
            print(f"gen/{name}")
    return 0


def _check() -> int:
    with _compiled() as fresh:
        stale = _differences(fresh, _GENERATED)
    for name in stale:
        print(f"gen/{name} is not what protos/ compile to; run `make gen`", file=sys.stderr)
    return 1 if stale else 0


def _buf() -> int:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        _write_image(image, with_comments=True)
        lint = [_tool("buf"), "lint", str(image), "--config", str(_BUF_CONFIG)]
        breaking = [_tool("buf"), "breaking", str(image), "--against", str(_BASELINE), "--config", str(_BUF_CONFIG)]
        codes = [subprocess.run(command, cwd=folder, check=False).returncode for command in (lint, breaking)]
    return 1 if any(codes) else 0


@contextmanager
def _compiled() -> Iterator[Path]:
    """A folder with everything compiled, less the service stubs of files without a service."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder)
        _protoc([f"--python_out={into}", f"--grpc_python_out={into}"])
        _protoc([f"--mypy_out=quiet:{into}", f"--mypy_grpc_out=quiet:{into}"])
        for proto in _sources():
            if not any(line.startswith("service ") for line in proto.read_text().splitlines()):
                stub = into / proto.relative_to(_PROTOS).with_suffix("")
                for suffix in ("_pb2_grpc.py", "_pb2_grpc.pyi"):
                    stub.with_name(stub.name + suffix).unlink()
        # Comments, examples and reasons are for the API's description: generated code carries none of them.
        _protoc(["--include_source_info", f"--descriptor_set_out={into / 'telemed' / 'contract.binpb'}"])
        for name in _EXAMPLES:
            shutil.copyfile(_PROTOS / name, into / "telemed" / name)
        (into / "telemed" / "errors.json").write_text(_reasons())
        yield into


def _reasons() -> str:
    """Every reason with its HTTP status and meaning, from the page that tests hold to be the truth."""
    rows = _ERROR_ROW.findall(_ERRORS_PAGE.read_text())
    told = {reason: {"status": int(status), "meaning": meaning} for reason, status, meaning in rows}
    return json.dumps(told, indent=1) + "\n"


def _write_image(path: Path, *, with_comments: bool) -> None:
    flags = ["--include_imports", f"--descriptor_set_out={path}"]
    _protoc([*flags, "--include_source_info"] if with_comments else flags)


def _protoc(flags: Sequence[str]) -> None:
    folders = [f"-I{_PROTOS}", f"-I{_folder_of_google_protos()}"]
    sources = [str(path.relative_to(_PROTOS)) for path in _sources()]
    # The compiler finds its plug-ins by PATH.
    environment = os.environ | {"PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-m", "grpc_tools.protoc", *folders, *flags, *sources]
    subprocess.run(command, check=True, env=environment)


def _sources() -> list[Path]:
    return sorted(_PROTOS.rglob("*.proto"))


def _folder_of_google_protos() -> Path:
    """Where google/api/annotations.proto and google/type/*.proto lie: the wheel brings them with their code."""
    spec = importlib.util.find_spec("google.api.annotations_pb2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("googleapis-common-protos is not installed: run `make install-dev`")
    return Path(spec.origin).parent.parent.parent


def _tool(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


def _differences(left: Path, right: Path) -> list[Path]:
    """Every generated file that is not in both folders with the same bytes."""
    names = {path.relative_to(folder) for folder in (left, right) for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name in names if name.suffix in _WRITTEN and not _same(left / name, right / name))


def _same(left: Path, right: Path) -> bool:
    return left.exists() and right.exists() and filecmp.cmp(left, right, shallow=False)


if __name__ == "__main__":
    sys.exit(main())
