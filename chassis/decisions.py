"""One log line for each decision: what was decided, how, and why; of whom it was, the trace and the history tell."""

import logging

decision_log = logging.getLogger("telemed.decisions")


def decided(decision: str, outcome: str, **figures: str | int) -> None:
    """Notes a decision, such as `decided("booking", "refused", reason="SLOT_TAKEN")`.

    The figures are fields of chassis.log_fields.
    Nobody's id is told: with the trace id of the line, ListEvents and a trace search lead to the visit.
    """
    if decision_log.isEnabledFor(logging.INFO):
        told = {name: figure for name, figure in figures.items() if figure != ""}
        decision_log.info("decision", extra={"decision": decision, "outcome": outcome, **told})
