"""docs/metrics.md as data: which metric, of which type and with which labels, each process is said to show."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
_NAME = re.compile(r"`([a-z_]+)(?:\{([a-z_, ]+)\})?`")
SERVICES = ("appointment", "doctor", "video")
_SECTIONS = {
    "Every process": ("gateway", *SERVICES),
    "The three services": SERVICES,
    "The gateway": ("gateway",),
    "The appointment service": ("appointment",),
    "The doctor service": ("doctor",),
    "The doctor and the video service": ("doctor", "video"),
    "The video service": ("video",),
}


@dataclass(frozen=True)
class Documented:
    """One metric as the page tells it; a counter's name ends in _total. `process` rows hold several types."""

    name: str
    type: str
    labels: frozenset[str]


def documented() -> dict[str, dict[str, Documented]]:
    """By process and name."""
    found: dict[str, dict[str, Documented]] = {process: {} for process in ("gateway", *SERVICES)}
    section = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        if not line.startswith("| `"):
            continue
        names, kind = line.split(" | ")[:2]
        for name, labels in _NAME.findall(names):
            metric = Documented(name, kind, frozenset(filter(None, labels.split(", "))))
            for process in _SECTIONS[section]:
                assert name not in found[process], f"{name} stands twice on the page"
                found[process][name] = metric
    return found
