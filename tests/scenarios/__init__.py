"""Cases of availability as data: a PreviewAvailability in JSON and the starts of the slots that it answers."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def availability_cases() -> list[dict[str, Any]]:
    """Every case: what it shows in words, the request, and the starts in order."""
    return [case for file in sorted(_FOLDER.glob("*.json")) for case in json.loads(file.read_text())]
