"""What a dashboard is made of: panels with queries, and the few shapes that most queries have."""

from collections.abc import Sequence
from dataclasses import dataclass

# A query in PromQL and the legend of its lines.
Query = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `unit` is Grafana's; `width` is in columns of 24."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    told: str = ""
    kind: str = "timeseries"
    width: int = 8


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; `name` is that of its file."""

    name: str
    title: str
    panels: Sequence[Panel]


def rate(metric: str, by: str = "", where: str = "") -> str:
    """The rate of a counter over a panel's interval, summed up by some labels."""
    return f"sum by ({by}) (rate({metric}{{{where}}}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str, where: str = "") -> str:
    """The value below which a share of the observations lies."""
    grouped = ", ".join(filter(None, [by, "le"]))
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', grouped, where)})"


def latency(metric: str, by: str, legend: str, where: str = "") -> list[Query]:
    """The median and the 99th percentile, a line each."""
    return [(quantile(share, metric, by, where), f"{legend} p{share * 100:g}") for share in (0.5, 0.99)]


def share(part: str, whole: str) -> str:
    """One query divided by another."""
    return f"{part} / {whole}"
