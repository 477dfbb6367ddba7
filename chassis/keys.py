"""The public keys of the token issuer, from a file or from its address, looked at again when a key id is new."""

import asyncio
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jwt

from kernel.errors import Unauthenticated

logger = logging.getLogger(__name__)

# Asymmetric only: a key that everybody may read must never be able to sign (RFC 8725 §3.1).
ALGORITHMS = ("ES256", "EdDSA", "RS256")
_FETCH_SECONDS = 3.0
_LARGEST_BYTES = 256 * 1024
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class KeySet(ABC):
    """The keys by key id. Keys that the issuer has withdrawn are gone after `stale_seconds`, once it answers."""

    # An unknown key id makes us look again, but not for every token that somebody makes up.
    again_seconds = 30.0
    stale_seconds = 600.0
    # While the issuer is away its old keys stay good, for tokens that it made before; a day later there are none.
    stale_if_error_seconds = 86_400.0

    def __init__(self) -> None:
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._looked_at = self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """The key of that id. Raises Unauthenticated when the issuer has none such."""
        age = time.monotonic() - self._looked_at
        if age > self.stale_seconds or (key_id not in self._keys and age > self.again_seconds):
            await self._look_again()
        try:
            return self._keys[key_id]
        except KeyError:
            raise Unauthenticated("the token is signed with an unknown key") from None

    async def _look_again(self) -> None:
        asked = time.monotonic()
        async with self._lock:
            if self._looked_at > asked:
                return
            # Also after a failure: an issuer that is away is not asked by every call, and its old keys stay good.
            self._looked_at = time.monotonic()
            try:
                self._keys = _signing_keys(await self._read())
                self._read_at = time.monotonic()
            except (OSError, ValueError, httpx.HTTPError) as error:
                logger.warning("the issuer's keys cannot be read", extra={"error_type": type(error).__name__})
                if time.monotonic() - self._read_at > self.stale_if_error_seconds:
                    self._keys = {}

    @abstractmethod
    async def _read(self) -> bytes:
        """The JWK set as it stands now. Raises OSError, ValueError or httpx.HTTPError."""


class FileKeys(KeySet):
    """Keys in a file, which whoever rotates them replaces."""

    again_seconds = 5.0

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def _read(self) -> bytes:
        return self._path.read_bytes()


class RemoteKeys(KeySet):
    """Keys at the issuer's address (its jwks_uri); only TLS, or this very machine, is trusted with them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ValueError(f"the issuer's keys must be fetched over https, not from {url}")
        self._url = url

    async def _read(self) -> bytes:
        # A redirect could lead anywhere, so it is an error like any other answer that is not 200.
        async with httpx.AsyncClient(timeout=_FETCH_SECONDS, follow_redirects=False) as client:
            answer = await client.get(self._url, headers={"accept": "application/jwk-set+json, application/json"})
        if answer.status_code != httpx.codes.OK or len(answer.content) > _LARGEST_BYTES:
            raise ValueError(f"the issuer answered {answer.status_code}")
        return answer.content


def _signing_keys(text: bytes) -> dict[str, jwt.PyJWK]:
    """The keys that may verify tokens, less those of other kinds. Raises ValueError when the text is no JWK set."""
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("the issuer's keys are no JWK set")  # noqa: TRY004 - what is wrong is the text
    found = {}
    for entry in document["keys"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
            continue
        if entry.get("kty") == "oct":
            # A secret has no business in a public set; taking it for a key would let its readers sign.
            continue
        try:
            key = jwt.PyJWK.from_dict(entry)
        except jwt.PyJWTError:
            continue
        if key.algorithm_name in ALGORITHMS:
            found[entry["kid"]] = key
    return found
