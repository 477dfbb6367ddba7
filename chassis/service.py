"""The common frame of our gRPC services: the layers, health and stop order, put round a servicer in one call."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import grpc

from chassis.access_log import PostgresAccessLog
from chassis.accesses import Touch
from chassis.auditing import Auditing
from chassis.background import periodically
from chassis.health import Probe, Readiness
from chassis.layers import Authentication, Layer, Redeem, Shedding, limited_in_time, traced
from chassis.policy import Policy
from chassis.process import GrpcProcess, Work
from chassis.rpc_errors import DetailRenderer, no_details
from chassis.server import build_server
from chassis.settings import ServerSettings, SharedSettings
from chassis.tls import server_credentials, show_certificate
from chassis.tokens import verifier_of

_HOUR = 3600.0


def framed(
    settings: ServerSettings,
    shared: SharedSettings,
    *,
    services: Sequence[str],
    policy: Policy,
    register: Callable[[grpc.aio.Server], None],
    probe: Probe,
    work: Sequence[tuple[str, Work]],
    closers: Sequence[Work],
    touches: Mapping[str, Touch],
    access_log: PostgresAccessLog | None,
    render: DetailRenderer = no_details,
    by_ticket: Mapping[str, Redeem] | None = None,
) -> GrpcProcess:
    """A process that serves what `register` adds.

    `services` are the full names to publish, `policy` who may call what, `probe` raises while the process
    cannot work, `work` goes on beside the calls, `closers` run last, `render` adds details of the service's own to
    its refusals, `by_ticket` are the methods that take tickets too. `touches` are the methods that touch patient data,
    and `access_log` keeps the rows which they leave; None where there is no such data.
    """
    verifier, admission = verifier_of(shared), settings.admission()
    authentication = Authentication(verifier, policy, by_ticket or {})
    layers: list[Layer] = [traced, Shedding(admission), limited_in_time, authentication]
    if access_log is not None:
        # Outside of the time limit, so that it sees what the caller gets.
        layers.insert(2, Auditing(touches, access_log))
        work = [*work, ("note the head of accesses", partial(periodically, _HOUR, access_log.note_head))]
        closers = [access_log.close, *closers]
    show_certificate(shared.tls)
    built = build_server(
        layers,
        services=services,
        render=render,
        must_refuse=admission.must_refuse,
        most_unread=settings.burst_in_flight,
    )
    register(built.server)
    return GrpcProcess(
        address=f"{settings.host}:{settings.port}",
        server=built.server,
        calls=built.calls,
        readiness=Readiness(built.health, probe),
        work=work,
        closers=closers,
        drain_seconds=settings.drain_seconds,
        grace_seconds=settings.grace_seconds,
        admin=shared.admin,
        credentials=server_credentials(shared.tls),
    )
