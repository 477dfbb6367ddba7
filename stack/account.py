"""The unprivileged account that PostgreSQL runs under when the caller is root, and what that account can reach."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; `switch` is whether the caller has to become it."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def credentials(self) -> dict[str, Any]:
        """Keyword arguments of `subprocess` that run a command as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": ()} if self.switch else {}

    @property
    def identity(self) -> tuple[int, int] | None:
        """The uid and gid to become, or None when the caller is that account already."""
        return (self.uid, self.gid) if self.switch else None

    def owns(self, path: Path) -> bool:
        """Whether `path` itself, not what a link points at, belongs to this account."""
        return path.lstat().st_uid == self.uid

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may enter `folder`: tried, since modes alone do not tell of access lists and mounts."""
        tried = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
        return subprocess.run(tried, cwd="/", capture_output=True, check=False, **self.credentials).returncode == 0

    def make_private_folder(self, folder: Path) -> None:
        """Make `folder` if need be, open to this account alone.

        Raises:
            PermissionError: it is there and belongs to somebody else.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.switch and folder.lstat().st_uid == os.geteuid():
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        if folder.is_symlink() or not self.owns(folder):
            raise PermissionError(f"{folder} belongs to another account")
        folder.chmod(0o700)


def database_account() -> Account:
    """The account to run PostgreSQL under: the caller's, or an unprivileged one when the caller is root."""
    if os.geteuid() != 0:
        entry, switch = pwd.getpwuid(os.geteuid()), False
    else:
        entry, switch = pwd.getpwnam(_UNPRIVILEGED), True
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=switch)
