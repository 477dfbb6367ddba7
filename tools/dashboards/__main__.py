"""Writes the JSON of every dashboard into deploy/grafana/dashboards."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.dashboards.clinic import BOOKING, LEDGER, VIDEO
from tools.dashboards.panel import Board, Panel
from tools.dashboards.services import POSTGRES, SERVICES

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
DASHBOARDS = (SERVICES, BOOKING, LEDGER, VIDEO, POSTGRES)
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS = 24
_HEIGHT = 8


def json_of(board: Board) -> str:
    """The dashboard as Grafana imports it."""
    document = {
        "uid": f"telemed-{board.name}",
        "title": f"Telemed · {board.title}",
        "tags": ["telemed"],
        "schemaVersion": 39,
        "editable": False,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["telemed"], "asDropdown": True, "title": "Telemed"}],
        "panels": list(_placed(board.panels)),
    }
    return json.dumps(document, indent=1) + "\n"


def _placed(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y = 0, y + _HEIGHT
        yield _drawn(panel, number) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": _HEIGHT}}
        x += panel.width


def _drawn(panel: Panel, number: int) -> dict[str, Any]:
    targets = [
        {
            "refId": chr(ord("A") + place),
            "datasource": _SOURCE,
            "expr": expression,
            "legendFormat": legend,
            "exemplar": "_bucket" in expression,
        }
        for place, (expression, legend) in enumerate(panel.queries)
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 10, "showPoints": "never"}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.told,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.kind == "stat" else {},
    }


def main() -> None:
    """Writes every file."""
    for board in DASHBOARDS:
        path = FOLDER / f"{board.name}.json"
        path.write_text(json_of(board))
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
