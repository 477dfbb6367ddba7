"""The demo's token issuer: one key pair in the data folder, its public half for the services, and tokens on demand.

It stands in for the clinic's identity provider. Whoever can read its key can be anybody, so it exists only where the
supervisor runs: a real deployment points TELEMED_JWKS_FILE at its own provider's keys and never starts this.
"""

import base64
import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from chassis.context import Role
from chassis.settings import DEMO_ISSUER

ISSUER = DEMO_ISSUER
AUDIENCE = "telemed"
_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens with the key of one data folder. `jwks_file` is what the services verify them with."""

    jwks_file: Path
    _key: EllipticCurvePrivateKey
    _key_id: str

    @classmethod
    def of(cls, data: Path) -> Self:
        """The issuer of a data folder; its key pair is made on first use.

        Raises:
            TypeError: the key file holds something else.
        """
        folder = data / "issuer"
        folder.mkdir(parents=True, exist_ok=True)
        key_file, jwks_file = folder / "private.pem", folder / "jwks.json"
        if not key_file.exists():
            with suppress(FileExistsError):  # another process was first: its key counts
                write_file(key_file, _new_key(), mode=0o600, replace=False)
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError(f"{key_file} is not an elliptic-curve key")
        public = _public_jwk(key)
        write_file(jwks_file, json.dumps({"keys": [public]}, indent=2).encode() + b"\n", mode=0o644)
        return cls(jwks_file, key, public["kid"])

    def mint(self, role: Role, subject: str, *, now: datetime, ttl: timedelta, actor: str = "") -> str:
        """A token that speaks for `subject` in `role` from `now` until `ttl` later. `now` is real time, aware.

        With an `actor` it is held by somebody who acts for the subject, such as a patient's guardian (RFC 8693).
        """
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "role": role.value,
            "iat": now,
            "nbf": now,
            "exp": now + ttl,
            "jti": str(uuid4()),
            **({"act": {"sub": actor}} if actor else {}),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._key_id, "typ": "at+jwt"})


def write_file(path: Path, content: bytes, *, mode: int, replace: bool = True) -> None:
    """Write a file so that no reader ever sees half of it, nor anybody whom `mode` shuts out any of it.

    Raises:
        FileExistsError: it is there and `replace` is False.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
        if replace:
            Path(name).rename(path)
        else:
            path.hardlink_to(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _new_key() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    essence = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    # The key id is the key's own thumbprint (RFC 7638), so that two data folders can never share one by chance.
    thumbprint = hashlib.sha256(json.dumps(essence, sort_keys=True, separators=(",", ":")).encode()).digest()
    return essence | {"kid": _base64url(thumbprint), "use": "sig", "alg": _ALGORITHM}


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(32, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
