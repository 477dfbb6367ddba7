"""How to call the `telemed` command from the terminal at hand, so that what we print can be pasted."""

import os
import shlex
import sys
from pathlib import Path

from stack.plan import Plan, default_data_folder


def telemed(plan: Plan, verb: str, *arguments: str) -> str:
    """The command line of a verb for this stack: the path as short as it can be, `--data` only when it is needed."""
    command = Path(sys.executable).parent / "telemed"
    path = os.path.relpath(command) if command.is_relative_to(Path.cwd()) else str(command)
    data = () if plan.data == default_data_folder() else ("--data", str(plan.data))
    return shlex.join([path, verb, *data, *arguments])
