"""`python -m proof.one NAME FOLDER SEED`: one run in a process of its own; prints its result as JSON."""

import asyncio
import dataclasses
import json
import sys
from pathlib import Path

from proof.campaign import CAMPAIGNS
from proof.clinic import INTACT
from proof.mutants.catalogue import MUTANTS
from proof.report import describe
from proof.result import Result
from proof.run import run


def main() -> None:
    """Raises KeyError for a name that is neither a campaign nor a mutant."""
    name, folder, seed = sys.argv[1:]
    mutants = {mutant.name: mutant for mutant in MUTANTS}
    campaign = mutants[name].campaign if name in mutants else CAMPAIGNS[name]
    sabotage = mutants[name].sabotage if name in mutants else INTACT
    outcome = asyncio.run(run(campaign, Path(folder), int(seed), sabotage))
    result = Result(
        name=name,
        seconds=outcome.seconds,
        failed=[verdict.check.name for verdict in outcome.failed],
        findings=sum(len(verdict.findings) for verdict in outcome.failed),
        description=describe(outcome),
    )
    print(json.dumps(dataclasses.asdict(result)))


if __name__ == "__main__":
    main()
