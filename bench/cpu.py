"""Processor time of processes: steadier than a rate when the machine is shared, since waiting costs nothing."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12  # of /proc/<pid>/stat, counted after the name in parentheses


class ProcessorTime:
    """Seconds that groups of processes have worked since a moment; a group is a process and its descendants."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = roots
        self._before = self._now()

    def since(self) -> dict[str, float]:
        """The seconds of each group since the start or the last time this was asked."""
        now, before = self._now(), self._before
        self._before = now
        return {name: seconds - before[name] for name, seconds in now.items()}

    def _now(self) -> dict[str, float]:
        return {name: sum(map(_seconds_of, _tree(root))) for name, root in self._roots.items()}


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has just ended
        return
    for child in children:
        yield from _tree(int(child))


def _seconds_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS
