"""Variants measured in turn, round by round, and a table of their figures: on a shared machine only ratios hold."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Variant:
    """One way to do the work. `measure` does it once and tells the rate per second; `rates` are of its rounds so far.

    `measure` is handed the number of the round, 0 for the warm-up.
    """

    name: str
    measure: Callable[[int], Awaitable[float]]
    rates: list[float] = field(default_factory=list)


async def in_turn(variants: Sequence[Variant], rounds: int) -> None:
    """Measures A B C, A B C, …: whatever else the machine does meanwhile then hits all of them alike.

    A first round is not counted: it connects, prepares statements and fills caches.
    """
    for round_number in range(rounds + 1):
        for variant in variants:
            rate = await variant.measure(round_number)
            if round_number > 0:
                variant.rates.append(rate)


def show_rates(variants: Sequence[Variant]) -> None:
    """Prints the rate of each variant; good for nothing but a sense of size."""
    table(
        ["per second", "median", "least", "most"],
        [(v.name, f"{median(v.rates):,.0f}", f"{min(v.rates):,.0f}", f"{max(v.rates):,.0f}") for v in variants],
    )


def show_ratios(pairs: Sequence[tuple[Variant, Variant]]) -> None:
    """Prints, for each pair, the first's rate over the second's of the same round: the figures to quote."""
    rows = []
    for above, below in pairs:
        ratios = [a / b for a, b in zip(above.rates, below.rates, strict=True)]
        rows.append(
            (f"{above.name} ÷ {below.name}", f"{median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}")
        )
    table(["same-round ratio", "median", "least", "most"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table: the first column to the left, figures to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        figures = "".join(f"{cell:>{width + 3}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        print(f"  {row[0]:<{widths[0]}}{figures}")
    print(flush=True)
