"""Configuration from the environment, the part that every process shares."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.admission import Admission
from chassis.context import Role
from chassis.limit import AdaptiveLimit
from chassis.tls_files import TlsFiles

DEMO_ISSUER = "telemed-demo"
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]
# A folder of secrets as container engines mount them: a file for each variable, named as it is in lower case.
SECRETS_DIR = os.environ.get("TELEMED_SECRETS_DIR") or None
Algorithm = Literal["ES256", "EdDSA", "RS256"]
# A composition of containers can pass a variable on that nobody has set, but not leave it out: empty means none.
OptionalFile = Annotated[Path | None, BeforeValidator(lambda given: given or None)]


class TrustedIssuer(BaseModel):
    """Whose tokens are trusted, where its keys are, how it signs, and for which roles it vouches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    jwks_url: str = ""
    jwks_file: Path | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=("ES256", "EdDSA", "RS256"), min_length=1)
    roles: tuple[Role, ...] = Field(default=tuple(Role), min_length=1)

    @model_validator(mode="after")
    def _must_have_its_keys_in_one_place(self) -> Self:
        if (self.jwks_file is None) == (not self.jwks_url):
            raise ValueError(f"the issuer {self.issuer} needs one of jwks_file and jwks_url")
        return self


class TlsSettings(BaseSettings):
    """What a process speaks TLS with. All files are PEM, and are read anew when they change."""

    model_config = SettingsConfigDict(
        env_prefix="TELEMED_", extra="ignore", frozen=True, secrets_dir=SECRETS_DIR, hide_input_in_errors=True
    )

    tls_cert_file: OptionalFile = Field(
        default=None,
        description="This process's certificate and what stands between it and the CA: its gRPC server then speaks TLS"
        " alone, and its channels show it to servers that ask …",
    )
    tls_key_file: OptionalFile = Field(default=None, description="… and its key, without a password.")
    tls_ca_file: OptionalFile = Field(
        default=None, description="Whose certificates are trusted: channels to other processes then speak TLS."
    )
    tls_client_certificates: Literal["none", "required"] = Field(
        default="none", description="Whether clients of the gRPC server must have a certificate of that CA."
    )

    @model_validator(mode="after")
    def _must_be_able_to_speak_tls(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("set both TELEMED_TLS_CERT_FILE and TELEMED_TLS_KEY_FILE, or neither")
        if self.tls_client_certificates == "required" and (self.tls_cert_file is None or self.tls_ca_file is None):
            raise ValueError(
                "TELEMED_TLS_CLIENT_CERTIFICATES=required needs TELEMED_TLS_CERT_FILE, TELEMED_TLS_KEY_FILE and"
                " TELEMED_TLS_CA_FILE"
            )
        self.tls.read()
        return self

    @property
    def tls(self) -> TlsFiles:
        """Where the files are, and whether clients have to show a certificate."""
        return TlsFiles(
            self.tls_cert_file, self.tls_key_file, self.tls_ca_file, self.tls_client_certificates == "required"
        )


class SharedSettings(TlsSettings):
    """What is the same for every process; read from TELEMED_* variables."""

    jwks_file: Path | None = Field(default=None, description="The issuer's public keys (JWK set), in a file …")
    jwks_url: str = Field(default="", description="… or at its address (jwks_uri); read again when a key id is new.")
    token_issuer: str = Field(default=DEMO_ISSUER, description="The issuer that is trusted …")
    token_algorithms: tuple[Algorithm, ...] = Field(
        default=("ES256", "EdDSA", "RS256"), min_length=1, description="… for tokens by these algorithms …"
    )
    token_roles: tuple[Role, ...] = Field(default=tuple(Role), min_length=1, description="… and of these roles.")
    other_issuers: tuple[TrustedIssuer, ...] = Field(
        default=(),
        description="More of them: issuer, jwks_url or jwks_file, algorithms, roles; such as one for services.",
    )
    demo: bool = Field(default=False, description="Trust the demo's own issuer, which signs for whoever asks.")
    token_audience: str = Field(default="telemed", description="The audience that a token must name.")
    service_token_file: Path | None = Field(
        default=None, description="This process's own token, renewed from outside; read anew when the file changes."
    )
    now: AwareDatetime | None = Field(default=None, description="Demo and tests: what the clock shows …")
    now_at: AwareDatetime | None = Field(default=None, description="… at this real instant; default: process start.")
    admin_host: str = Field(default="127.0.0.1", description="The address of /metrics, /healthz and /readyz.")
    admin_port: int = Field(default=0, ge=0, le=65535, description="The TCP port of these pages; 0 means none.")
    log_level: LogLevel = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_levels: dict[str, LogLevel] = Field(
        default={}, description='JSON: levels of single loggers, {"telemed.access": "WARNING", "psycopg": "ERROR"}.'
    )
    log_json: bool = Field(default=False, description="One JSON object a line instead of text.")
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1, description="Share of new traces that are recorded.")
    otlp_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices("otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="OTLP/HTTP base address, such as http://localhost:4318, under OpenTelemetry's own name.",
    )

    @model_validator(mode="after")
    def _must_name_whom_to_trust(self) -> Self:
        if (self.jwks_file is None) == (not self.jwks_url):
            raise ValueError("set one of TELEMED_JWKS_FILE and TELEMED_JWKS_URL")
        if len({trusted.issuer for trusted in self.trusted_issuers}) <= len(self.other_issuers):
            raise ValueError("TELEMED_OTHER_ISSUERS names an issuer twice")
        if DEMO_ISSUER in {trusted.issuer for trusted in self.trusted_issuers} and not self.demo:
            raise ValueError(
                "set TELEMED_TOKEN_ISSUER to your identity provider; the demo's own issuer needs TELEMED_DEMO=true"
            )
        return self

    @property
    def trusted_issuers(self) -> tuple[TrustedIssuer, ...]:
        """Every issuer that is trusted."""
        first = TrustedIssuer(
            issuer=self.token_issuer,
            jwks_url=self.jwks_url,
            jwks_file=self.jwks_file,
            algorithms=self.token_algorithms,
            roles=self.token_roles,
        )
        return (first, *self.other_issuers)

    @property
    def admin(self) -> tuple[str, int] | None:
        """Where /metrics, and of services /healthz and /readyz, are shown."""
        return (self.admin_host, self.admin_port) if self.admin_port else None


class ServerSettings(BaseSettings):
    """What every gRPC server needs; a service subclasses it with its own prefix, such as APPOINTMENT_."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, secrets_dir=SECRETS_DIR, hide_input_in_errors=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(ge=0, le=65535, description="The TCP port to listen on.")
    database_url: str = Field(description="The service's own PostgreSQL database.")
    direct_database_url: str = Field(
        default="",
        description="The same database without a pooler in between, for LISTEN, advisory locks and migrations; empty"
        " means database_url.",
    )
    database_pooler: Literal["none", "transaction"] = Field(
        default="none", description="What stands at database_url: PostgreSQL, or a pooler of transactions (PgBouncer)."
    )
    pool_size: int = Field(default=16, ge=1, le=200, description="Most connections to the database.")
    max_in_flight: int = Field(default=1000, ge=1, description="Most calls at once, whatever happens.")
    least_in_flight: int = Field(
        default=8, ge=1, description="Calls at once that are always taken, however slow they have become."
    )
    burst_in_flight: int = Field(
        default=256,
        ge=0,
        description="Calls beyond that which may wait for a place; when there are more, all are shed.",
    )
    drain_seconds: float = Field(default=0.5, ge=0, description="Time for balancers to notice before a stop.")
    grace_seconds: float = Field(default=10.0, ge=0, description="Time for running calls to finish in a stop.")

    def admission(self) -> Admission:
        """Which calls the server takes, and when."""
        return Admission(AdaptiveLimit(self.least_in_flight, self.max_in_flight), self.burst_in_flight)

    @property
    def direct_url(self) -> str:
        """Where a connection is one's own for as long as it lives."""
        return self.direct_database_url or self.database_url

    @property
    def through_pooler(self) -> bool:
        """Whether a connection is one's own for a transaction only."""
        return self.database_pooler == "transaction"
