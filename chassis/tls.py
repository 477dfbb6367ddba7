"""TLS between processes: what a server listens with, and what our channels connect with."""

import time
from typing import Any

import grpc

from chassis.metrics import gauge
from chassis.tls_files import Pems, Renewed, TlsFiles


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials | None:
    """What a server listens with: TLS when it has a certificate, else None. Each new connection gets the newest one."""
    if files.certificates is None:
        return None
    renewed = Renewed(files)

    # Called by threads of grpc before each handshake; they may do so at once, which at worst reads twice.
    def newest() -> Any:
        return _configuration(renewed.pems) if renewed.has_changed() else None

    return grpc.dynamic_ssl_server_credentials(_configuration(renewed.pems), newest, files.requires_client_certificates)


def channel_credentials(pems: Pems) -> grpc.ChannelCredentials:
    """What a channel connects with: whom it trusts, and our own certificate for servers that ask who connects."""
    return grpc.ssl_channel_credentials(pems.root_certificates, pems.key, pems.certificates)


def show_certificate(files: TlsFiles) -> None:
    """Shows as a number how long our certificate is good for."""
    renewed = Renewed(files)

    def remaining() -> float:
        renewed.has_changed()
        return renewed.pems.ends_at - time.time()

    gauge(
        "telemed_tls_certificate_remaining_seconds",
        "Until this process's own certificate ends; infinite without one.",
        remaining,
    )


def _configuration(pems: Pems) -> grpc.ServerCertificateConfiguration:
    assert pems.key, "the settings have both or neither"  # noqa: S101 - for the type checker
    assert pems.certificates, "a server without them is a plain one"  # noqa: S101
    return grpc.ssl_server_certificate_configuration([(pems.key, pems.certificates)], pems.root_certificates)
