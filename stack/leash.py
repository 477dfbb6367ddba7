"""The leash: starts one program that cannot outlive whoever started it.

Run as a script, `leash.py PARENT SIGNAL ACCOUNT PROGRAM [ARGUMENT…]`: it becomes ACCOUNT (`uid:gid`, or `-` for no
change), asks the kernel to send SIGNAL when PARENT ends, however it ends, and then *is* PROGRAM: same pid, same files.
A script and not a `preexec_fn`, because code between fork and exec is unsafe in a process that has threads. It
imports nothing of the project, so that it costs one bare interpreter start.

Only Linux has such a request; elsewhere the program simply starts, and the next start clears what was left.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def leashed(
    command: Sequence[str], *, on_parent_death: signal.Signals, account: tuple[int, int] | None = None
) -> list[str]:
    """The command that runs `command` on a leash held by the calling process.

    The kernel watches the *thread* that forks: call `Popen` from one that lives as long as the process.

    Args:
        command: The program, by absolute path, and its arguments.
        on_parent_death: What the program is sent when the caller ends.
        account: The uid and gid to become; only root can become another.
    """
    identity = "-" if account is None else f"{account[0]}:{account[1]}"
    leash = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    return [*leash, str(os.getpid()), str(int(on_parent_death)), identity, *command]


def _become(identity: str) -> None:
    if identity == "-":
        return
    uid, gid = (int(part) for part in identity.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _main(parent: int, death_signal: int, identity: str, command: Sequence[str]) -> None:
    _become(identity)  # first: a change of account forgets the request below
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the request was made
        raise SystemExit(f"leash: process {parent} has already ended")
    os.execv(command[0], list(command))  # noqa: S606  becoming the program is the point


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
