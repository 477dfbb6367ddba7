"""What a run prints: counts, faults, and a table of the checks; of the mutants, who caught each."""

from collections import Counter
from collections.abc import Sequence

from proof.run import Outcome

_FINDINGS_SHOWN = 3
_LONGEST = 400


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


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as they need to be; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
