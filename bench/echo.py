"""A process that answers every GetAvailability with one fixed message: what a call costs when nothing is behind it.

It is framed like a service (tracing, shedding, deadline, tokens), and has no database.
"""

from pathlib import Path
from typing import Any

import grpc
import uvloop
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceServicer, add_DoctorServiceServicer_to_server

from chassis.logs import start_logging
from chassis.process import run
from chassis.service import framed
from chassis.settings import ServerSettings, SharedSettings
from chassis.telemetry import start_telemetry
from doctor_svc.api.policy import POLICY

_SERVICES = [pb.DESCRIPTOR.services_by_name["DoctorService"].full_name]


class EchoSettings(ServerSettings):
    """ECHO_* variables."""

    model_config = SettingsConfigDict(env_prefix="ECHO_", extra="ignore", frozen=True)

    database_url: str = Field(default="", description="There is none.")
    reply_file: Path = Field(description="The answer, a serialized GetAvailabilityResponse.")


class EchoServicer(DoctorServiceServicer):
    """The doctor service as far as the benchmark calls it."""

    def __init__(self, reply: pb.GetAvailabilityResponse) -> None:
        self._reply = reply

    async def GetAvailability(  # noqa: N802  the contract names it
        self, _: pb.GetAvailabilityRequest, __: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetAvailabilityResponse:
        """The fixed answer, serialized anew for each call as a real one is."""
        return self._reply


async def _well() -> None:
    """There is nothing that the process needs."""


async def _serve(settings: EchoSettings, shared: SharedSettings) -> None:
    telemetry = start_telemetry("echo", shared.otlp_endpoint, shared.trace_sample_ratio)
    servicer = EchoServicer(  # type: ignore[abstract]  # what it leaves out answers UNIMPLEMENTED
        pb.GetAvailabilityResponse.FromString(settings.reply_file.read_bytes())
    )
    process = framed(
        settings,
        shared,
        services=_SERVICES,
        policy=POLICY,
        touches={},
        access_log=None,
        register=lambda server: add_DoctorServiceServicer_to_server(servicer, server),
        probe=_well,
        work=[],
        closers=[],
    )
    await run(process, telemetry)


def main() -> None:
    """Serves until told to stop."""
    shared, settings = SharedSettings(), EchoSettings()  # type: ignore[call-arg]  # the environment fills them
    start_logging("echo", shared.log_level, as_json=shared.log_json)
    uvloop.run(_serve(settings, shared))


if __name__ == "__main__":
    main()
