"""The way to the processes of this machine for whoever asks for their health: in the clear, or as they speak TLS."""

from dataclasses import replace

import grpc
from cryptography.x509 import DNSName, ExtensionNotFound, IPAddress, SubjectAlternativeName, load_pem_x509_certificates
from pydantic import ValidationError

from chassis.refused_settings import sentences_of
from chassis.settings import TlsSettings
from chassis.tls import channel_credentials
from chassis.tls_files import Pems
from stack.plan import HOST


class TlsConfigurationError(Exception):
    """What the variables name cannot be spoken TLS with; the message says why."""


def channel_to(port: int) -> grpc.aio.Channel:
    """A channel to a gRPC server of this machine that is told by the same TELEMED_TLS_* variables as we are.

    Raises TlsConfigurationError.
    """
    target, pems = f"{HOST}:{port}", _pems()
    if pems.certificates is None:
        return grpc.aio.insecure_channel(target)
    # Without a CA the server's own certificate, which is ours too, vouches for itself. Its name is the one by which
    # others call the server, and hardly this address.
    credentials = channel_credentials(replace(pems, root_certificates=pems.root_certificates or pems.certificates))
    options = [("grpc.ssl_target_name_override", _name_in(pems.certificates))]
    return grpc.aio.secure_channel(target, credentials, options=options)


def _pems() -> Pems:
    try:
        return TlsSettings().tls.read()
    except ValidationError as error:
        raise TlsConfigurationError("; ".join(sentences_of(error))) from None
    except ValueError as error:  # they have changed in this very moment
        raise TlsConfigurationError(str(error)) from None


def _name_in(certificates: bytes) -> str:
    """A name that the first of some certificates is good for."""
    try:
        names = load_pem_x509_certificates(certificates)[0].extensions.get_extension_for_class(SubjectAlternativeName)
    except ExtensionNotFound:
        return HOST
    hosts = [*names.value.get_values_for_type(DNSName), *map(str, names.value.get_values_for_type(IPAddress))]
    # One for a whole domain is good for any name in it.
    return hosts[0].replace("*", "any") if hosts else HOST
