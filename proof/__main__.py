"""`python -m proof`: runs the storm and the mutants; exits 1 unless every check holds and every mutant is caught."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from proof.campaign import SQUALL, STORM
from proof.report import describe
from proof.run import run


def main() -> int:
    """Runs what the command line asks for."""
    options = _options()
    print(f"SEED={options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="telemed-proof-history-"))
    campaign = SQUALL if options.quick else STORM
    outcome = asyncio.run(run(campaign, folder / campaign.name, options.seed))
    print(describe(outcome), flush=True)
    return 1 if outcome.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
