"""The gateway process: settings, the contracts that are installed, channels to the services, and the HTTP server."""

import logging
from contextlib import AsyncExitStack

import uvloop

from chassis.logs import start_logging
from chassis.metrics import serve_metrics
from chassis.refused_settings import told_plainly
from chassis.settings import SharedSettings
from chassis.telemetry import start_telemetry
from chassis.tls import show_certificate
from chassis.tokens import verifier_of
from gateway.app import CONTRACTS, Gateway, Limits
from gateway.cors import Cors
from gateway.discovery import installed_services
from gateway.http import BodyLimits
from gateway.limits.bucket import Rate
from gateway.limits.guard import Buckets, RateGuard
from gateway.limits.local import LocalBuckets
from gateway.limits.shared import SharedBuckets
from gateway.serve import serve_until_told
from gateway.settings import GatewaySettings
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams
from gateway.watching import start_watching


async def run(shared: SharedSettings, settings: GatewaySettings) -> None:
    """Builds the gateway and serves until the process is told to stop."""
    async with AsyncExitStack() as stack:
        if shared.admin:
            stack.callback(serve_metrics(*shared.admin).close)
        show_certificate(shared.tls)
        stack.callback(start_telemetry("gateway", shared.otlp_endpoint, shared.trace_sample_ratio).shutdown)
        upstreams = Upstreams(settings.upstreams, shared.tls)
        stack.push_async_callback(upstreams.close)
        buckets: Buckets = LocalBuckets()
        if settings.redis_url:
            buckets = shared_buckets = SharedBuckets(settings.redis_url, wait_seconds=settings.redis_seconds)
            stack.push_async_callback(shared_buckets.close)
        verifier = verifier_of(shared)
        gateway = Gateway(
            installed_services(CONTRACTS),
            upstreams,
            verifier,
            _limits(settings, buckets),
            continues_traces=settings.continue_traces,
            ops_url=settings.ops_url,
        )
        stack.push_async_callback(start_watching(upstreams, gateway.stopping.is_set).stop)
        await serve_until_told(gateway, settings)


def _limits(settings: GatewaySettings, buckets: Buckets) -> Limits:
    return Limits(
        body=BodyLimits(settings.max_body_bytes, settings.body_seconds),
        stream=StreamLimits(settings.heartbeat_seconds, settings.stream_seconds),
        call_seconds=settings.call_seconds,
        rates=RateGuard(
            buckets,
            per_address=_rate(settings.address_burst, settings.address_per_second),
            per_user=_rate(settings.user_burst, settings.user_per_second),
            proxies=settings.trusted_proxies,
        ),
        cors=Cors(frozenset(settings.cors_origins)),
        in_flight=settings.max_in_flight,
        least_in_flight=settings.least_in_flight,
        burst_in_flight=settings.burst_in_flight,
    )


def _rate(burst: int, per_second: float) -> Rate | None:
    return Rate(burst, per_second) if burst else None


@told_plainly()
def main() -> None:
    """Runs the gateway as configured by the environment."""
    shared = SharedSettings()
    settings = GatewaySettings()  # type: ignore[call-arg]  # the environment fills it
    start_logging(
        "gateway", shared.log_level, as_json=shared.log_json, levels={"uvicorn": "WARNING"} | shared.log_levels
    )
    try:
        uvloop.run(run(shared, settings))
    except (OSError, ValueError) as error:
        # A taken address, or a contract that cannot be served: whoever started us needs the sentence, not the stack.
        logging.getLogger("gateway").error("cannot start", extra={"because": str(error)})  # noqa: TRY400 - says so above
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
