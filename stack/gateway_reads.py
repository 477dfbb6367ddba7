"""Reads through the gateway of a running stack, for commands that show what is there."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from stack.commands import CommandError
from stack.plan import GATEWAY
from stack.probes import call
from stack.state import State

# Who an administrator's command is to the services.
ADMINISTRATOR = "00000000-0000-4000-8000-000000000001"


def gateway_on(data: Path) -> tuple[State, int]:
    """The stack that runs on `data`, and its gateway's port. Raises CommandError when none does."""
    state = State.read(data)
    port = state.processes[GATEWAY].port if state else None
    if state is None or port is None:
        raise CommandError(f"nothing runs on {data}; start it with `telemed up --data {data}`")
    return state, port


def read(port: int, path: str, token: str) -> Any:
    """What a path answers. Raises CommandError for anything but 200."""
    answer = call(port, "GET", path, token=token)
    if answer.status != HTTPStatus.OK:
        raise CommandError(f"GET {path} answered {answer.status}: {answer.body}")
    return answer.body
