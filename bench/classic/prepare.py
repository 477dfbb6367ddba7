"""What the two classic load tests need of a running clinic: the command line of `ab`, and patients with tokens.

`python -m bench.classic.prepare --port 3000 --data .data FOLDER` writes `patients.csv` into a folder, with the scenario
beside it. It should lie outside of the project: a token is a secret, if only of a demo.
"""

import argparse
import csv
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from chassis.context import Role
from stack.issuer import Issuer

_TTL = timedelta(hours=2)
_PATIENTS = 200
_SCENARIO = Path(__file__).with_name("smart_bookings.yml")


def main() -> None:
    """Writes the files and prints the two command lines."""
    parser = argparse.ArgumentParser(prog="python -m bench.classic.prepare", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--data", type=Path, default=Path(".data"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    now, issuer = datetime.now(UTC), Issuer.of(chosen.data)
    with (chosen.folder / "patients.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        for number in range(_PATIENTS):
            patient = str(uuid5(NAMESPACE_DNS, f"patient-{number}.load.example"))
            rows.writerow([patient, issuer.mint(Role.PATIENT, patient, now=now, ttl=_TTL)])
    shutil.copy(_SCENARIO, chosen.folder)
    day = _next_monday(now.date())
    token = issuer.mint(Role.ADMIN, str(uuid5(NAMESPACE_DNS, "load.example")), now=now, ttl=_TTL)
    (chosen.folder / "ab.header").write_text(f"Authorization: Bearer {token}")
    print(
        f'ab -n 1000 -c 50 -H "$(cat {chosen.folder}/ab.header)" '
        f'"http://127.0.0.1:{chosen.port}/api/doctors/availability?date={day}&specialty=cardiology"'
    )
    print(f"cd {chosen.folder} && TELEMED_URL=http://127.0.0.1:{chosen.port} artillery run smart_bookings.yml")


def _next_monday(today: date) -> date:
    """A day on which the demo's doctors work, a week ahead or nearly two."""
    return today + timedelta(days=14 - today.weekday())


if __name__ == "__main__":
    main()
