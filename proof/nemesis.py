"""What goes wrong in a run: processes and the database are killed, frozen and restarted, in a seeded order."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from proof.campaign import Campaign
from proof.clinic import Clinic
from proof.history import Recorder
from proof.server import Server
from stack.probes import is_ready

# Longer than an attempt of a client, so that those who wait give up and ask elsewhere while the frozen one still holds
# what it began.
_FROZEN_SECONDS = (1.0, 4.0)
_DOWN_SECONDS = (0.0, 0.8)
_READY_LOOKS, _LOOK_SECONDS = 100, 0.1


@dataclass(frozen=True, slots=True)
class Nemesis:
    """Works for as long as its task runs; what it leaves broken is the aftermath's to heal."""

    clinic: Clinic
    campaign: Campaign
    recorder: Recorder
    rng: random.Random

    async def work(self) -> None:
        """One fault after the other, for ever; does nothing in a campaign without faults."""
        faults = self.campaign.faults
        while faults:
            await asyncio.sleep(self.rng.uniform(0.5, 1.5) * self.campaign.calm_seconds)
            fault = self.rng.choices(list(faults), list(faults.values()))[0]
            await _FAULTS[fault](self, fault)

    async def kill(self, fault: str) -> None:
        """`kill -9` of one process of a service, which is started again soon."""
        server = self._victim(fault)
        server.kill()
        await asyncio.sleep(self.rng.uniform(*_DOWN_SECONDS))
        server.start()

    async def kill_ready(self, fault: str) -> None:
        """The same to a process that has just come so far that it works."""
        for server in self.clinic.of_service(fault.rpartition(" ")[2]):
            for _ in range(_READY_LOOKS):
                if await is_ready(server.name, server.plan.port):
                    break
                await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(self.rng.uniform(*_DOWN_SECONDS))
        await self.kill(fault)

    async def freeze(self, fault: str) -> None:
        """A process stops in its tracks and goes on later, sure of what it knew."""
        server = self._victim(fault)
        server.freeze()
        await asyncio.sleep(self.rng.uniform(*_FROZEN_SECONDS))
        server.thaw()

    async def restart(self, fault: str) -> None:
        """An orderly stop, as in a deployment, and a start."""
        server = self._victim(fault)
        await asyncio.to_thread(server.stop)
        server.start()

    async def kill_database(self, fault: str) -> None:
        """See Clinic.kill_postgres."""
        self._note(fault, "postgres")
        await self.clinic.kill_postgres()

    async def kill_backend(self, fault: str) -> None:
        """See Clinic.kill_backend."""
        self._note(fault, "postgres")
        await self.clinic.kill_backend()

    async def cut_connections(self, fault: str) -> None:
        """See Clinic.cut_connections."""
        self._note(fault, "postgres")
        await self.clinic.cut_connections()

    def _victim(self, fault: str) -> Server:
        server = self.rng.choice(self.clinic.of_service(fault.rpartition(" ")[2]))
        self._note(fault, server.name)
        return server

    def _note(self, fault: str, whom: str) -> None:
        self.recorder.write("fault", what=fault, whom=whom)


_FAULTS: Mapping[str, Callable[[Nemesis, str], Awaitable[None]]] = {
    "kill appointment": Nemesis.kill,
    "kill doctor": Nemesis.kill,
    "kill ready doctor": Nemesis.kill_ready,
    "kill video": Nemesis.kill,
    "freeze appointment": Nemesis.freeze,
    "freeze doctor": Nemesis.freeze,
    "restart appointment": Nemesis.restart,
    "kill the database": Nemesis.kill_database,
    "kill a backend": Nemesis.kill_backend,
    "cut connections": Nemesis.cut_connections,
}
