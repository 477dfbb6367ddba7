"""The PEM files that this process speaks TLS with: read strictly at the start, and anew whenever they change."""

import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

logger = logging.getLogger(__name__)

# What the variables that name the files are called, for whoever has to mend them.
CERT, KEY, CA = "TELEMED_TLS_CERT_FILE", "TELEMED_TLS_KEY_FILE", "TELEMED_TLS_CA_FILE"
_CURVES = (ec.SECP256R1, ec.SECP384R1)


@dataclass(frozen=True, slots=True)
class Pems:
    """What the files hold, under grpc's names; None for what there is no file of.

    `certificates` are our own and what stands between it and the CA, `root_certificates` whom we trust; `ends_at` is
    when our own ends, in seconds of Unix time.
    """

    key: bytes | None = None
    certificates: bytes | None = None
    root_certificates: bytes | None = None
    ends_at: float = float("inf")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the files are. A server with `certificates` and `key` speaks TLS, and a channel with `root_certificates`.

    A server that `requires_client_certificates` takes clients alone who have one that `root_certificates` vouch for.
    """

    certificates: Path | None = None
    key: Path | None = None
    root_certificates: Path | None = None
    requires_client_certificates: bool = False

    def read(self) -> Pems:
        """What they hold now. Raises ValueError, naming the variable, when that cannot be used."""
        root_certificates = _read(self.root_certificates, CA)
        if root_certificates is not None:
            _certificates_in(root_certificates, CA)
        certificates, key = _read(self.certificates, CERT), _read(self.key, KEY)
        if certificates is None or key is None:
            return Pems(root_certificates=root_certificates)
        own = _certificates_in(certificates, CERT)[0]
        if _key_in(key).public_key() != own.public_key():
            raise ValueError(f"{KEY} is not the key of the first certificate in {CERT}")
        return Pems(key, certificates, root_certificates, own.not_valid_after_utc.timestamp())

    def state(self) -> tuple[object, ...]:
        """Something that differs once a file has been written or replaced, by a link too."""
        return tuple(_state(path) for path in (self.certificates, self.key, self.root_certificates) if path)


PLAIN = TlsFiles()


class Renewed:
    """What the files hold, kept true while they change. Raises ValueError at first; later it keeps what was good."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        # Before the reading: a change in between is then seen the next time.
        self._seen = files.state()
        self.pems = files.read()

    def has_changed(self) -> bool:
        """Whether `pems` are other ones than a moment ago; certificates that do not fit together are left alone."""
        state = self._files.state()
        if state == self._seen:
            return False
        self._seen = state
        before = self.pems
        try:
            self.pems = self._files.read()
        except ValueError as error:
            # Somebody is in the middle of replacing them, or has made a mistake.
            logger.warning("certificates cannot be used; going on with the old ones", extra={"because": str(error)})
        return self.pems != before


def _read(path: Path | None, variable: str) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{variable} cannot be read: {error}") from None


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _certificates_in(content: bytes, variable: str) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(content)
    except ValueError:
        raise ValueError(f"{variable} names a file without a certificate in PEM") from None


def _key_in(content: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise ValueError(f"{KEY} names a key that asks for a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"{KEY} names a file without a private key in PEM") from None
    if isinstance(key, rsa.RSAPrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES)
    ):
        return key
    # gRPC would take it, and then fail every handshake.
    raise ValueError(f"{KEY} names a key that is neither RSA nor on the curves P-256 and P-384")
