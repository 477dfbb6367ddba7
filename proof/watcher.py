"""A consumer of the change feed in the midst of it all: resumes where it stopped and notes everything it is shown."""

import asyncio
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from chassis.context import Role
from proof.caller import appointment_facts
from proof.clinic import Clinic
from proof.history import Recorder
from stack.plan import HOST

_PAUSE_SECONDS = 0.2
_AT_ONCE = 100


@dataclass(slots=True)
class Watcher:
    """Follows the feed as an administrator, from the first change on, at one server after the other.

    By turns it asks for one change a message and for many.
    """

    clinic: Clinic
    recorder: Recorder
    last: str = field(default="", init=False)

    async def work(self) -> None:
        """Follows for ever; a broken stream goes on at the next server, after the last change that was shown."""
        metadata = self.clinic.metadata(Role.ADMIN, str(uuid4()))
        servers = self.clinic.of_service("appointment")
        turn = 0
        while True:
            port = servers[turn % len(servers)].plan.port
            turn += 1
            async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
                request = pb.WatchChangesRequest(
                    after_revision=self.last, max_changes_per_message=_AT_ONCE * (turn % 2)
                )
                stream = AppointmentServiceStub(channel).WatchChanges(request, metadata=metadata)
                try:
                    async for reply in stream:
                        self._note(reply)
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(_PAUSE_SECONDS)

    def _note(self, reply: pb.WatchChangesResponse) -> None:
        for change in [reply.change] if reply.HasField("change") else reply.changes:
            told = appointment_facts(change.appointment)
            self.recorder.write(
                "seen",
                revision=int(change.revision),
                appointment=told["id"],
                version=change.version,
                status=told["status"],
                start=told["start"],
            )
            self.last = change.revision
