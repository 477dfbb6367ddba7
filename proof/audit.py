"""Asks the system's own auditor, as an operator does: `telemed audit verify`."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_SERVICE_URL = "TELEMED_{}_DATABASE_URL"


async def objections_of_the_audit(urls: Mapping[str, str], data: Path) -> str:
    """What `telemed audit verify` prints when it finds fault with the history; empty when it finds the history whole.

    `urls` are the databases by service; `data` is a data folder on which no stack runs, so that these are what it asks.
    """
    named = {_SERVICE_URL.format(service.upper()): url for service, url in urls.items()}
    audit = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack.cli", "audit", "verify", "--data", str(data)),
        env=os.environ | named,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await audit.communicate()
    return said.decode() if audit.returncode else ""
