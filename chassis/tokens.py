"""Bearer tokens (JWT): verified against the issuer's published keys, with a small cache of those that passed."""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from pathlib import Path

import jwt
from jwt.types import Options

from chassis.context import Caller, Role
from kernel.errors import Unauthenticated

# Asymmetric only: a key that everybody may read must never be able to sign (RFC 8725 §3.1).
ALGORITHMS = ["ES256", "EdDSA", "RS256"]
_LEEWAY_SECONDS = 30
_REQUIRED: Options = {"require": ["exp", "iat", "sub", "iss", "aud"]}
_CACHE_SIZE = 4096
_RELOAD_SECONDS = 5.0


class KeySet:
    """The public keys of the issuer by key id, from a file; a new key id makes it look again, but not often."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, jwt.PyJWK] = {}
        self._loaded_at = float("-inf")

    def key(self, key_id: str) -> jwt.PyJWK:
        """The key of that id. Raises Unauthenticated when the issuer has none such."""
        if key_id not in self._keys and time.monotonic() - self._loaded_at > _RELOAD_SECONDS:
            self._load()
        try:
            return self._keys[key_id]
        except KeyError:
            raise Unauthenticated("the token is signed with an unknown key") from None

    def _load(self) -> None:
        self._loaded_at = time.monotonic()
        document = json.loads(self._path.read_text())
        self._keys = {entry["kid"]: jwt.PyJWK.from_dict(entry) for entry in document["keys"]}


class TokenVerifier:
    """Tells who a token speaks for. Times are real time, whatever clock the process shows its users."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._verified: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """The caller that a token speaks for. Raises Unauthenticated for every token that is not wholly right."""
        digest = hashlib.sha256(token.encode()).digest()
        cached = self._verified.get(digest)
        if cached is not None and cached[1] > time.time():
            return cached[0]
        caller, expires = self._check(token)
        with self._lock:
            self._verified[digest] = (caller, expires)
            while len(self._verified) > _CACHE_SIZE:
                self._verified.popitem(last=False)
        return caller

    def _check(self, token: str) -> tuple[Caller, float]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            if not isinstance(key_id, str):
                raise Unauthenticated("the token names no key")
            claims = jwt.decode(
                token,
                self._keys.key(key_id),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options=_REQUIRED,
            )
            caller = Caller(subject=str(claims["sub"]), role=Role(claims.get("role", "")), token=token)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.PyJWTError, ValueError):
            # The library's text may quote the token; the caller learns no more than that it was refused.
            raise Unauthenticated("the token is not valid here") from None
        return caller, float(claims["exp"])


class ServiceIdentity:
    """This process's own token, kept fresh by whoever writes the file (a supervisor, or Kubernetes)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read_at = 0
        self._token = ""

    def token(self) -> str:
        """The token as it stands in the file now. Raises Unauthenticated when none is configured."""
        if self._path is None:
            raise Unauthenticated("TELEMED_SERVICE_TOKEN_FILE is not set")
        modified = self._path.stat().st_mtime_ns
        if modified != self._read_at:
            self._token = self._path.read_text().strip()
            self._read_at = modified
        return self._token
