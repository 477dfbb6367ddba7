"""Tokens and keys for tests: good ones of an issuer, and what is needed to make bad ones."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

EC, OTHER_EC = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
WRONG_CURVE = ec.generate_private_key(ec.SECP384R1())
SECRET = b"a secret that somebody put into a public key set"

PATIENT, GUARDIAN, OTHER = (f"7b1de1b4-8b1c-4c5e-9a52-0c5f8f9b1a1{n}" for n in (1, 2, 3))


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def jwk(key: Any, key_id: str, algorithm: str, **more: str) -> dict[str, Any]:
    kinds = {"ES256": ECAlgorithm, "ES384": ECAlgorithm, "RS256": RSAAlgorithm, "EdDSA": OKPAlgorithm}
    return {**kinds[algorithm].to_jwk(key.public_key(), as_dict=True), "kid": key_id, "alg": algorithm, **more}


KEYS = [
    jwk(EC, "ec", "ES256", use="sig"),
    jwk(RSA, "rsa", "RS256"),
    jwk(ED, "ed", "EdDSA"),
    jwk(WRONG_CURVE, "p384", "ES384"),
    jwk(OTHER_EC, "encryption", "ES256", use="enc"),
    {"kty": "oct", "kid": "secret", "alg": "HS256", "k": b64(SECRET)},
    {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-256"},
]


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": "clinic",
        "aud": "telemed",
        "sub": PATIENT,
        "role": "patient",
        "iat": now,
        "nbf": now,
        # Made when the tests are gathered, and looked at when their turn comes: it must outlast the whole run.
        "exp": now + 24 * 3600,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(key: Any = EC, algorithm: str = "ES256", said: dict[str, Any] | None = None, **header: Any) -> str:
    head = {name: value for name, value in {"kid": "ec", "typ": "at+jwt", **header}.items() if value is not None}
    return jwt.encode(claims() if said is None else said, key, algorithm, head)


def by_hand(header: dict[str, Any], said: dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(said).encode())}"
    return f"{text}.{b64(sign(text.encode()))}"


def hmac_with(key: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()


def tampered(token: str, **changed: Any) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{b64(json.dumps(claims(**changed)).encode())}.{signature}"
