"""`python -m tests.fuzz`: the long run, against a whole clinic of its own."""

import argparse
import sys
import time

from tests.fuzz.cast import NOBODY, fuzzed_clinic
from tests.fuzz.run import Fuzz


def main() -> int:
    """Runs what the command line asks for. Returns 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=60, help="requests of an operation by each caller, good and bad")
    parser.add_argument("--seed", type=int, default=int(time.strftime("%Y%m%d")))
    parser.add_argument("--only", default="", help="operations alone whose method and path match this")
    chosen = parser.parse_args()
    with fuzzed_clinic() as cast:
        fuzz = Fuzz(cast, chosen.seed)
        for label in fuzz.run(chosen.each, chosen.only):
            print(f"{fuzz.report.cases:6} {label}", *fuzz.report.fresh(), flush=True)
    report = fuzz.report
    print(f"seed {chosen.seed}; callers {', '.join(cast.callers)} ({NOBODY} has no token); answers by status:")
    print("\n".join(report.lines()))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
