"""What one run tells the process that ordered it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a run. `failed` are the names of the checks that found something."""

    name: str
    seconds: float
    failed: list[str]
    findings: int
    description: str
