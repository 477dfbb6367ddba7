"""The gateway process: settings, the contracts that are installed, channels to the services, and the HTTP server."""

import logging

import uvloop

from chassis.logs import start_logging
from chassis.metrics import serve_metrics
from chassis.settings import SharedSettings
from chassis.telemetry import start_telemetry
from chassis.tokens import KeySet, TokenVerifier
from gateway.app import CONTRACTS, Gateway, Limits
from gateway.discovery import installed_services
from gateway.http import BodyLimits
from gateway.serve import serve_until_told
from gateway.settings import GatewaySettings
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams


async def run(shared: SharedSettings, settings: GatewaySettings) -> None:
    """Builds the gateway and serves until the process is told to stop."""
    page = serve_metrics(*shared.admin) if shared.admin else None
    telemetry = start_telemetry("gateway", shared.otlp_endpoint, shared.trace_sample_ratio)
    upstreams = Upstreams(settings.upstreams)
    verifier = TokenVerifier(KeySet(shared.jwks_file), shared.token_issuer, shared.token_audience)
    limits = Limits(
        body=BodyLimits(settings.max_body_bytes, settings.body_seconds),
        stream=StreamLimits(settings.heartbeat_seconds, settings.stream_seconds),
        call_seconds=settings.call_seconds,
    )
    try:
        gateway = Gateway(installed_services(CONTRACTS), upstreams, verifier, limits)
        await serve_until_told(gateway, settings)
    finally:
        await upstreams.close()
        telemetry.shutdown()
        if page is not None:
            page.close()


def main() -> None:
    """Runs the gateway as configured by the environment."""
    shared = SharedSettings()  # type: ignore[call-arg]  # the environment fills it
    settings = GatewaySettings()  # type: ignore[call-arg]  # the environment fills it
    start_logging("gateway", shared.log_level, as_json=shared.log_json)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        uvloop.run(run(shared, settings))
    except (OSError, ValueError) as error:
        # A taken address, or a contract that cannot be served: whoever started us needs the sentence, not the stack.
        logging.getLogger("gateway").error("cannot start", extra={"because": str(error)})  # noqa: TRY400 - says so above
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
