"""Where the services are, and how calls to them behave."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

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
