"""What a run prints: counts, faults, and a table of the checks; of the mutants, who caught each."""

from collections import Counter
from collections.abc import Sequence

from proof.mutants.catalogue import Mutant
from proof.result import Result
from proof.run import Outcome

_FINDINGS_SHOWN = 3
_LONGEST = 400
_NOT_CAUGHT = "NOT by"


def describe(outcome: Outcome) -> str:
    """A run in some lines."""
    history = outcome.case.history
    counts = history.counts()
    unknown = sum(operation.was_unknown for operation in history.operations.values())
    repeats = sum(len(operation.repeats) for operation in history.operations.values())
    evidence = outcome.case.evidence
    states = Counter(row["status"] for row in evidence.appointments)
    faults = Counter(fault["what"] for fault in history.faults)
    name, clients = outcome.campaign.name, outcome.campaign.clients
    lines = [
        f"{name}: seed {history.rules['seed']}, {clients} clients, {outcome.seconds:.0f} s",
        f"  operations   {len(history.operations):,}: {counts['ok']:,} granted, {counts['fail']:,} refused",
        f"  no answer    {unknown:,} at first, {counts['unknown']:,} in the end",
        f"  repeated     {repeats:,}, and {len(history.reads):,} reads",
        f"  refused for  {_told(Counter(o.reason for o in history.operations.values() if o.outcome == 'fail'))}",
        f"  stored       {len(evidence.events):,} events; {_told(states)}",
        f"  faults       {_told(faults) or 'none'}",
        f"  checks       {_verdicts(outcome)}",
    ]
    return "\n".join([*lines, *_findings(outcome)])


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _verdicts(outcome: Outcome) -> str:
    failed = len(outcome.failed)
    return f"{len(outcome.verdicts)} of {len(outcome.verdicts)} hold" if not failed else f"{failed} FAILED"


def _findings(outcome: Outcome) -> list[str]:
    lines = []
    for verdict in outcome.failed:
        lines.append(f"  FAILED {verdict.check.name}: {verdict.check.claim} ({len(verdict.findings)} findings)")
        lines += [f"    - {finding[:_LONGEST]}" for finding in verdict.findings[:_FINDINGS_SHOWN]]
    if lines:
        lines.append(f"  the history and the logs are in {outcome.folder}")
    return lines


class MutantsTable:
    """A table that grows by a row whenever a run ends: what was broken, who had to catch it, who else noticed."""

    def __init__(self, mutants: Sequence[Mutant]) -> None:
        """The columns are as wide as these mutants need."""
        words = [("mutant", "what is broken", "run", "caught by")]
        words += [(m.name, m.what, m.campaign.name, f"{_NOT_CAUGHT} {m.caught_by}") for m in mutants]
        self._widths = [max(map(len, column)) for column in zip(*words, strict=True)]

    def head(self) -> str:
        """The head of the table."""
        return self._row(("mutant", "what is broken", "run", "caught by"), "s", "noticed too by")

    def row(self, mutant: Mutant, result: Result) -> str:
        """The row of a run."""
        caught = mutant.caught_by in result.failed
        by = mutant.caught_by if caught else f"{_NOT_CAUGHT} {mutant.caught_by}"
        others = ", ".join(name for name in result.failed if name != mutant.caught_by)
        return self._row((mutant.name, mutant.what, mutant.campaign.name, by), f"{result.seconds:.0f}", others)

    def _row(self, cells: Sequence[str], seconds: str, others: str) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, self._widths, strict=True)]
        return "  ".join([*padded, seconds.rjust(3), others]).rstrip()
