"""A certificate authority of a test's own, and the files of those whom it vouches for."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.tls_files import TlsFiles

LOOPBACK = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Pair:
    """A key and its certificate, in files."""

    key: Path
    certificate: Path

    def bytes(self) -> tuple[bytes, bytes]:
        return self.key.read_bytes(), self.certificate.read_bytes()

    @property
    def serial_number(self) -> int:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number


@dataclass(frozen=True)
class Authority:
    """Vouches for others by its own certificate, which is in the file `root`."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root.write_bytes(self._certificate(self.key, self.name, LOOPBACK, timedelta(days=1), is_ca=True))

    @property
    def root(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str, *hosts: str, key: Any = None, lives: timedelta = timedelta(days=1)) -> Pair:
        """Writes a key and a certificate, for this machine or those hosts; a second time in place of the first."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        pair = Pair(self.folder / f"{name}.key", self.folder / f"{name}.pem")
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pair.certificate.write_bytes(self._certificate(key, name, hosts or LOOPBACK, lives, is_ca=False))
        return pair

    def files(self, pair: Pair, *, required: bool = False) -> TlsFiles:
        """What a process with that pair speaks TLS with, when it trusts this authority."""
        return TlsFiles(pair.certificate, pair.key, self.root, required)

    def _certificate(self, key: Any, name: str, hosts: Sequence[str], lives: timedelta, *, is_ca: bool) -> bytes:
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_called(name))
            .issuer_name(_called(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + lives)
            .add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def self_signed(folder: Path, name: str) -> Pair:
    """A key and a certificate that vouches for itself."""
    own = Authority(folder, name)
    key = folder / f"{name}.key"
    key.write_bytes(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Pair(key, own.root)


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
