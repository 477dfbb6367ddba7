"""One run: a clinic, a crowd, a nemesis, the aftermath, and the verdict of every check."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from proof.aftermath import Aftermath
from proof.audit import objections_of_the_audit
from proof.caller import Servers
from proof.campaign import CLINIC_OPENS, DAILY_LIMIT, HOLD_SECONDS, LEAST_GRANTED, Campaign
from proof.checks import Verdict, judge
from proof.checks.case import Case
from proof.clinic import INTACT, Clinic, Sabotage, open_clinic
from proof.crowd import Crowd
from proof.history import History, Recorder
from proof.nemesis import Nemesis
from proof.reader import read_evidence
from proof.seeding import add_doctors
from proof.town import Board, Town
from proof.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `folder` holds the history and the logs."""

    campaign: Campaign
    folder: Path
    case: Case
    verdicts: Sequence[Verdict]
    seconds: float

    @property
    def failed(self) -> list[Verdict]:
        """The checks that found something."""
        return [verdict for verdict in self.verdicts if verdict.findings]


async def run(campaign: Campaign, folder: Path, seed: int, sabotage: Sabotage = INTACT) -> Outcome:
    """Runs a campaign and judges it. `folder` must be new; it keeps the history and the output of each process."""
    began = time.monotonic()
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing runs yet that it could hold up
    async with open_clinic(campaign, folder, sabotage) as clinic:
        recorder = Recorder(folder / "history.jsonl", clinic.now)
        try:
            await _live_through(clinic, campaign, recorder, seed)
        finally:
            recorder.close()
        chain = await objections_of_the_audit(clinic.urls, clinic.plan.data)
        evidence = await asyncio.to_thread(read_evidence, clinic.urls, folder / "postgres.log", chain)
    case = Case(History.read(folder / "history.jsonl"), evidence)
    return Outcome(campaign, folder, case, judge(case), time.monotonic() - began)


async def _live_through(clinic: Clinic, campaign: Campaign, recorder: Recorder, seed: int) -> None:
    recorder.write(
        "rules",
        seed=seed,
        campaign=campaign.name,
        daily_limit=DAILY_LIMIT,
        hold_seconds=HOLD_SECONDS,
        least_granted=LEAST_GRANTED,
        faults=bool(campaign.faults),
    )
    practices = await add_doctors(clinic, recorder)
    town = Town.of(practices, campaign, CLINIC_OPENS, seed)
    servers, watcher = Servers(clinic), Watcher(clinic, recorder)
    crowd = Crowd(campaign, town, servers, recorder, seed, Board(), done={}, open={})
    nemesis = Nemesis(clinic, campaign, recorder, random.Random(f"{seed} nemesis"))
    watching = asyncio.create_task(watcher.work())
    haunting = asyncio.create_task(nemesis.work())
    try:
        await crowd.work()
        await _end(haunting)
        rng = random.Random(f"{seed} aftermath")
        await Aftermath(clinic, crowd, recorder, watcher, rng).restore()
    finally:
        await _end(haunting)
        await _end(watching)
        await servers.close()


async def _end(task: asyncio.Task[None]) -> None:
    """Ends a task that works for ever; raises what it failed with before."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
