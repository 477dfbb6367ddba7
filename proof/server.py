"""One server process of the clinic under proof: started, killed, frozen, thawed, on a leash."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from stack.leash import leashed
from stack.plan import ProcessPlan

_STOP_SECONDS = 10.0


@dataclass(slots=True)
class Server:
    """A process and how to start it again; `mutant` names the patch that it starts with, if any."""

    plan: ProcessPlan
    mutant: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Such as `appointment-2`."""
        return self.plan.name

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended; a frozen one runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it unless it runs. Call from the main thread: the leash ends the process with the thread."""
        if self.is_running:
            return
        run = ["-m", self.plan.module] if not self.mutant else ["-m", "proof.mutants", self.mutant, self.plan.module]
        with self.plan.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed([sys.executable, *run], on_parent_death=signal.SIGKILL),
                env=_environment(self.plan.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it at once, as `kill -9` does, and waits until the kernel has buried it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stops its time: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Asks it to stop in order, as an operator does, waits, and ends it when it takes too long."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):  # it ended just now
                self._process.send_signal(number)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return os.environ | dict(own)
