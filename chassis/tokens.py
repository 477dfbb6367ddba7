"""Bearer tokens (JWT): verified against the issuer's published keys, with a small cache of those that passed."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import jwt
from jwt.types import Options

from chassis.context import Caller, Role
from chassis.ids import parse_uuid
from chassis.keys import ALGORITHMS, FileKeys, KeySet, RemoteKeys
from chassis.settings import SharedSettings, TrustedIssuer
from kernel.errors import InvalidArgument, Unauthenticated

_LEEWAY_SECONDS = 30
_REQUIRED: Options = {"require": ["exp", "iat", "sub", "iss", "aud"]}
_CACHE_SIZE = 4096
_LONGEST = 8 * 1024
# Access tokens (RFC 9068), and those of issuers that say no more than that it is a JWT. Tokens of other kinds, such as
# an ID token or our own join tokens, have other types or other audiences.
_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})


class Verifier(Protocol):
    """Whoever tells whom a token speaks for."""

    async def verify(self, token: str) -> Caller:
        """The caller that a token speaks for. Raises Unauthenticated for every token that is not wholly right."""
        ...


class TokenVerifier:
    """Tells who a token speaks for. Times are real time, whatever clock the process shows its users."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        roles: Iterable[Role] = Role,
    ) -> None:
        """Trusts one issuer, for tokens by those algorithms and of those roles alone."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms)
        self._roles = frozenset(roles)
        self._verified: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The caller that a token speaks for. Raises Unauthenticated for every token that is not wholly right."""
        digest = hashlib.sha256(token.encode()).digest()
        cached = self._verified.get(digest)
        if cached is not None and cached[1] > time.time():
            return cached[0]
        caller, expires = await self._check(token)
        self._verified[digest] = (caller, expires)
        while len(self._verified) > _CACHE_SIZE:
            self._verified.popitem(last=False)
        return caller

    async def _check(self, token: str) -> tuple[Caller, float]:
        if len(token) > _LONGEST:
            raise Unauthenticated("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            if str(header.get("typ", "")).lower() not in _TYPES:
                raise Unauthenticated("the token is of another kind")
            key_id = header.get("kid")
            if not isinstance(key_id, str):
                raise Unauthenticated("the token names no key")
            # Whatever the header says of keys (jku, jwk, x5u) is not looked at: only the issuer's own set counts.
            key = await self._keys.key(key_id)
            if key.algorithm_name not in self._algorithms:
                raise Unauthenticated("the token is signed in a way that is not trusted")
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options=_REQUIRED,
            )
            caller = _caller(claims, token)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            # The library's text may quote the token; the caller learns no more than that it was refused.
            raise Unauthenticated("the token is not valid here") from None
        if caller.role not in self._roles:
            raise Unauthenticated("the token's issuer cannot vouch for this role")
        return caller, float(claims["exp"])


class SeveralIssuers:
    """Trusts several issuers, each for its own tokens."""

    def __init__(self, by_issuer: Mapping[str, TokenVerifier]) -> None:
        self._by_issuer = by_issuer

    async def verify(self, token: str) -> Caller:
        """As TokenVerifier.verify. Whose token it claims to be only chooses who looks at it, and so decides nothing."""
        if len(token) > _LONGEST:
            raise Unauthenticated("the token is too long")
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Unauthenticated("the token is not valid here") from None
        verifier = self._by_issuer.get(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            raise Unauthenticated("the token is of an issuer that is not trusted")
        return await verifier.verify(token)


def _caller(claims: Mapping[str, Any], token: str) -> Caller:
    """The caller of a token whose signature holds. Raises Unauthenticated, ValueError or TypeError for other claims."""
    role = Role(claims.get("role", ""))
    subject = str(claims["sub"]) if role is Role.SERVICE else _person(claims["sub"])
    if "act" not in claims:
        return Caller(subject, role, token)
    return Caller(subject, role, token, delegate=_delegate(claims, subject, role))


def _person(subject: object) -> str:
    """The id of a person, who has a UUID everywhere. Raises Unauthenticated."""
    try:
        return parse_uuid(str(subject), "sub")
    except InvalidArgument:
        raise Unauthenticated("the token's subject must be the UUID of a person") from None


def _delegate(claims: Mapping[str, Any], subject: str, role: Role) -> str:
    """Who acts for the subject by the claim `act` (RFC 8693 §4.1). Raises Unauthenticated.

    The claims that we do not know are left alone, as everywhere in a token. A chain of actors is refused: a guardian
    cannot hand on what was entrusted to them, and the history has room for one who acts.
    """
    act = claims["act"]
    if role is not Role.PATIENT:
        raise Unauthenticated("nobody can act for a caller of this role")
    if not isinstance(act, dict) or "act" in act or act.get("iss", claims["iss"]) != claims["iss"]:
        raise Unauthenticated("the token does not say who acts")
    try:
        actor = parse_uuid(act["sub"], "act.sub")
    except (KeyError, AttributeError, InvalidArgument):
        raise Unauthenticated("the token does not say who acts") from None
    if actor == subject:
        raise Unauthenticated("nobody acts for themselves: leave out the claim act")
    return actor


def verifier_of(shared: SharedSettings) -> Verifier:
    """The verifier that the settings ask for."""
    verifiers = {trusted.issuer: _trusting(trusted, shared.token_audience) for trusted in shared.trusted_issuers}
    return verifiers[shared.token_issuer] if len(verifiers) == 1 else SeveralIssuers(verifiers)


def _trusting(trusted: TrustedIssuer, audience: str) -> TokenVerifier:
    keys = RemoteKeys(trusted.jwks_url) if trusted.jwks_url else FileKeys(trusted.jwks_file or Path())
    return TokenVerifier(keys, trusted.issuer, audience, algorithms=trusted.algorithms, roles=trusted.roles)


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
