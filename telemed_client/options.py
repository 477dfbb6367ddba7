"""Where the services are, and how calls to them behave."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import grpc
from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
# The token itself, or what knows the present one: tokens are short-lived.
Token = str | Callable[[], str]

DEADLINE_SECONDS = 10.0
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [
            {
                "name": [{}],
                # UNAVAILABLE alone: by the services' contract it means that the same call may be sent again.
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 50, "tokenRatio": 0.2},
    }
)
CHANNEL_OPTIONS = [
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


@dataclass(frozen=True, slots=True)
class Targets:
    """The gRPC target of each service, such as `dns:///appointment:3001`."""

    appointment: str
    doctor: str
    video: str

    @classmethod
    def at(cls, target: str) -> "Targets":
        """All services behind one address, such as a proxy's."""
        return cls(target, target, target)


def tls(
    root_certificates: Path | None = None, *, key: Path | None = None, certificates: Path | None = None
) -> grpc.ChannelCredentials:
    """Credentials for services that speak TLS: `Client(targets, token, credentials=tls(Path("ca.pem")))`.

    All files are PEM. Without `root_certificates` those that come with grpc are trusted; `key` and `certificates` (this
    client's own and whatever stands between it and the root) are for services that ask who connects. They
    are read once: make a new client when they have been renewed. Raises OSError.
    """
    return grpc.ssl_channel_credentials(_read(root_certificates), _read(key), _read(certificates))


def _read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def breaking_the_glass(reason: str) -> tuple[tuple[str, str], ...]:
    """Metadata of a call that reads what is nobody's business, for care that cannot wait.

    `client.appointments.GetAppointment(request, metadata=breaking_the_glass("found unconscious, needs her history"))`.
    The words, 10 to 500 characters, are kept in the audit; docs/authorization.md tells who may do it, and for what.
    """
    return (("break-glass-reason", quote(reason, safe=" ")),)


def token_of(token: Token) -> str:
    """The token to send now."""
    return token if isinstance(token, str) else token()


def with_request_id(request: Request) -> Request:
    """The request, with an idempotency key if it takes one and has none: a retry then never does a thing twice."""
    field = request.DESCRIPTOR.fields_by_name.get("request_id")
    if field is None or getattr(request, "request_id"):  # noqa: B009 - not every message has the attribute
        return request
    keyed = type(request)()
    keyed.CopyFrom(request)
    keyed.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]  # looked up above
    return keyed
