"""`telemed export`: everything that all services keep of one patient, as one JSON document."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from chassis.context import Role
from stack.databases import SERVICES
from stack.gateway_reads import ADMINISTRATOR, gateway_on, read
from stack.issuer import Issuer

_TOKEN_LIVES = timedelta(hours=1)
_PAGE_SIZE = 200


def export(data: Path, patient_id: str, output: Path | None, now: datetime) -> int:
    """Write what is kept of a patient to a file, or (None) print it. Raises CommandError."""
    _, port = gateway_on(data)
    token = Issuer.of(data).mint(Role.ADMIN, ADMINISTRATOR, now=now, ttl=_TOKEN_LIVES)
    document = {
        "patient_id": patient_id,
        "export_time": now.isoformat(),
        **{service: _records(port, f"/patients/{patient_id}/{service}-data", token) for service in SERVICES},
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.touch(mode=0o600)
        output.write_text(text)
    return 0


def _records(port: int, path: str, token: str) -> list[Any]:
    records: list[Any] = []
    page_token = ""
    while True:
        query = urlencode({"page_size": _PAGE_SIZE} | ({"page_token": page_token} if page_token else {}))
        page = read(port, f"{path}?{query}", token)
        records += page.get("records", [])
        page_token = page.get("next_page_token", "")
        if not page_token:
            return records
