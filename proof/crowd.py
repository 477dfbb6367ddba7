"""The clients of a run, all at once: each wishes, waits for its answer, and wishes again until the time is over."""

import asyncio
import random
import time
from dataclasses import dataclass
from uuid import UUID

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from chassis.context import Role
from proof.caller import Answer, Client, Servers, Wish, appointment_facts, facts_of
from proof.campaign import Campaign
from proof.history import OK, Recorder
from proof.intents import USUAL, Imagination
from proof.town import Board, Town

_TWINS = 0.06  # so many requests are sent to two servers at once
_READS = 0.2  # after so many answers somebody looks


@dataclass(frozen=True, slots=True)
class Crowd:
    """All clients of a run. `done` are the wishes that were granted, by their numbers, to be repeated later."""

    campaign: Campaign
    town: Town
    servers: Servers
    recorder: Recorder
    seed: int
    board: Board
    done: dict[int, Wish]
    open: dict[int, Wish]

    async def work(self) -> None:
        """Runs every client for as long as the campaign lasts."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(1, self.campaign.clients + 1):
                group.create_task(self._live(number, began))

    def _goes_on(self, began: float) -> bool:
        worked = time.monotonic() - began
        enough = self.recorder.operations >= self.campaign.operations
        return worked < self.campaign.seconds or (not enough and worked < self.campaign.longest_seconds)

    async def _live(self, number: int, began: float) -> None:
        rng = random.Random(f"{self.seed} {number}")
        admin = str(UUID(int=rng.getrandbits(128), version=4))
        client = Client(number, self.servers, self.recorder, rng)
        imagination = Imagination(self.town, self.board, rng, admin)
        weights = {**USUAL, **self.campaign.verbs}
        while self._goes_on(began):
            wish = imagination.wish(weights)
            if wish is None:
                await asyncio.sleep(0.01)
                continue
            operation, answer = await client.perform(wish, twin=rng.random() < _TWINS)
            self._remember(operation, wish, answer)
            if answer.outcome == OK and rng.random() < _READS:
                await self._look(client, facts_of(answer.content)["id"], admin)

    def _remember(self, operation: int, wish: Wish, answer: Answer) -> None:
        if answer.outcome == OK:
            self.done[operation] = wish
            self.board.take(facts_of(answer.content))
        elif answer.outcome != "fail":
            self.open[operation] = wish

    async def _look(self, client: Client, appointment_id: str, admin: str) -> None:
        """Reads an appointment at some server: nobody who was told of a version may be shown an older one later."""
        request = pb.GetAppointmentRequest(id=appointment_id)
        wish = Wish("GetAppointment", Role.ADMIN, admin, request, {"id": appointment_id})
        began = self.recorder.now()
        answer = await self.servers.once(wish, client.rng.randrange(len(self.servers)))
        if answer.outcome == OK:
            told = appointment_facts(appointment_pb2.Appointment.FromString(answer.content))
            self.recorder.write("read", began=began, id=told["id"], version=told["version"], status=told["status"])
            self.board.take(told)
