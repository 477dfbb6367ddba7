"""What PromQL asks for: the metrics and labels of a query, read well enough for the queries that we write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.dashboards.__main__ import DASHBOARDS

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy" / "prometheus" / "rules"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*+)\s*(\{[^}]*\})?(?!\s*\()")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


@dataclass(frozen=True)
class Query:
    """One query and where it stands."""

    where: str
    text: str

    @property
    def grouping(self) -> set[str]:
        """The labels that are grouped by."""
        return {label.strip() for found in _GROUPING.findall(self.text) for label in found.split(",") if label.strip()}

    @property
    def selectors(self) -> list[tuple[str, set[str]]]:
        """Each metric that is asked for, with the labels that are asked of it."""
        bare = _RANGE.sub("", _GROUPING.sub("", _STRING.sub('""', self.text)))
        found = [(name, set(_LABEL.findall(labels))) for name, labels in _SELECTOR.findall(bare)]
        return [(name, labels) for name, labels in found if name.lower() not in _WORDS]


def rules() -> list[dict[str, Any]]:
    """Every rule of every group."""
    return [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def queries() -> Iterator[Query]:
    """Every query of every rule, alert and panel; `$__rate_interval` is left for the caller."""
    for rule in rules():
        yield Query(rule.get("alert") or rule["record"], rule["expr"])
    for board in DASHBOARDS:
        for panel in board.panels:
            for expression, _ in panel.queries:
                yield Query(f"{board.name}: {panel.title}", expression)
