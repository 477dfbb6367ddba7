"""The key by which this service signs join tokens: read from its file, made when there is none."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key


def signing_key(path: Path | None) -> EllipticCurvePrivateKey:
    """The P-256 key (ES256 asks for that curve) of a PEM file; without a path, a fresh one that nobody keeps.

    A missing file is made, with a fresh key that this account alone can read.

    Raises:
        TypeError: the file holds another kind of key.
        ValueError: it holds no key.
    """
    if path is None:
        return generate_private_key(SECP256R1())
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another replica was first: its key counts
            _write_new(path, _new_pem())
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise TypeError(f"{path} does not hold a P-256 key")
    return key


def _new_pem() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_new(path: Path, content: bytes) -> None:
    """Makes a file of mode 0600 that appears whole or not at all. Raises FileExistsError when it is there."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(name)
    finally:
        Path(name).unlink()
