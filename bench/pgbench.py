"""pgbench with the services' own statements: what PostgreSQL does by itself, with a client that costs little."""

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chassis.sql import Query

_PARAMETER = re.compile(r"%\((\w+)\)s")
_RATE = re.compile(r"^tps = ([\d.]+) ", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)/(\d+)$", re.MULTILINE)


class PgbenchError(Exception):
    """pgbench failed, or one of its transactions did; the message is what it printed."""


def with_values(query: Query, values: Mapping[str, str]) -> str:
    """A statement of ours with SQL in place of its parameters, ended by a semicolon. A missing value is a KeyError."""
    return _PARAMETER.sub(lambda match: values[match[1]], query.text) + ";"


@dataclass(frozen=True, slots=True)
class Pgbench:
    """A script, run by so many clients on one database.

    In the script `:client_id` counts the clients from 0, and a variable of `run` keeps what the script sets it to.
    """

    program: Path
    script: Path
    url: str
    clients: int

    async def run(self, transactions: int, **variables: int) -> float:
        """Runs the script `transactions` times in each client, on prepared statements; tells how many a second.

        Raises PgbenchError.
        """
        defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
        process = await asyncio.create_subprocess_exec(
            *(str(self.program), "--no-vacuum", "--protocol=prepared", f"--file={self.script}"),
            *(f"--client={self.clients}", "--jobs=2", f"--transactions={transactions}", *defined, self.url),
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output = (await process.communicate())[0].decode(errors="replace")
        finally:
            with suppress(ProcessLookupError):  # as a rule it has ended
                process.kill()
        rate, done = _RATE.search(output), _DONE.search(output)
        if process.returncode != 0 or rate is None or done is None or done[1] != done[2]:
            raise PgbenchError(output)
        return float(rate[1])
