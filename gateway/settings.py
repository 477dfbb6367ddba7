"""The gateway's configuration, from GATEWAY_* variables."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.settings import SECRETS_DIR


class GatewaySettings(BaseSettings):
    """Where the gateway listens, what stands behind it, and what it lets through."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", frozen=True, secrets_dir=SECRETS_DIR)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=3000, ge=0, le=65535, description="The TCP port to listen on; 0 means any free one.")
    listen_fd: int | None = Field(
        default=None,
        ge=3,
        description="A socket that listens already, passed on by whoever starts the gateway; several may share it. The"
        " port of its own is opened beside it, unless it is the same.",
    )
    upstreams: dict[str, str] = Field(
        description='JSON: the gRPC address of each proto package or prefix of it, {"telemed.video.v1": "host:port"}.'
    )
    max_body_bytes: int = Field(default=64 * 1024, ge=1, description="The largest body of a request.")
    header_seconds: float = Field(default=5.0, gt=0, description="Time for the headers of a request to arrive.")
    body_seconds: float = Field(default=10.0, gt=0, description="Time for a body to arrive.")
    write_seconds: float = Field(
        default=30.0, gt=0, description="Time for a client to read on, once more waits for it than is kept."
    )
    call_seconds: float = Field(default=10.0, gt=0.2, description="The deadline of a call to a service.")
    keep_alive_seconds: int = Field(default=5, ge=1, description="Time that an idle connection is kept.")
    heartbeat_seconds: float = Field(default=15.0, gt=0, description="Time between signs of life in a quiet stream.")
    stream_seconds: float = Field(
        default=900.0, gt=0, description="The longest life of a stream; the client comes again with a fresh token."
    )
    max_connections: int = Field(
        default=4_096,
        ge=1,
        description="Connections at once; the one that has waited longest makes room for a new one.",
    )
    max_connections_per_address: int = Field(
        default=512, ge=0, description="Connections of one address; 0, or proxies in front: nobody counts."
    )
    max_in_flight: int = Field(default=2_000, ge=1, description="Most requests at once, whatever happens.")
    least_in_flight: int = Field(
        default=16, ge=1, description="Calls to services at once that are always made, however slow they have become."
    )
    burst_in_flight: int = Field(
        default=512,
        ge=0,
        description="Calls beyond that which may wait for a place; when there are more, all are turned away.",
    )
    user_burst: int = Field(
        default=1_000, ge=0, description="Requests at once of one user; 0 means that nobody counts."
    )
    user_per_second: float = Field(default=100.0, gt=0, description="Requests a second of one user in the long run.")
    address_burst: int = Field(default=2_000, ge=0, description="Requests at once of one address; 0: nobody counts.")
    address_per_second: float = Field(
        default=200.0, gt=0, description="Requests a second of one address, in the long run."
    )
    trusted_proxies: int = Field(default=0, ge=0, description="Proxies of ours in front, which set X-Forwarded-For.")
    cors_origins: list[str] = Field(
        default=[], description='JSON: web origins that may call, ["https://clinic.example"].'
    )
    continue_traces: bool = Field(
        default=False,
        description="Trust callers' traceparent: their trace goes on here, and they say what is recorded. Otherwise "
        "each request begins a trace of its own, linked to the caller's.",
    )
    ops_url: str = Field(
        default="", description="Where /ops leads: the console of a demo; empty means that it is none."
    )
    redis_url: str = Field(
        default="",
        validation_alias=AliasChoices("redis_url", "REDIS_URL"),
        description="Where replicas share their counts; empty means that each counts for itself.",
    )
    redis_seconds: float = Field(
        default=0.1, gt=0, description="Time for Redis to answer before a replica counts for itself."
    )
    drain_seconds: float = Field(default=0.5, ge=0, description="Time for balancers to notice before a stop.")
    grace_seconds: int = Field(default=10, ge=0, description="Time for running requests to finish in a stop.")
