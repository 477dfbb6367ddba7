"""What verifying a token costs: one that was seen before, against one that is new, for each algorithm.

`python -m bench.tokens`
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from bench.rounds import Variant, in_turn, show_rates, show_ratios
from chassis.keys import FileKeys
from chassis.tokens import TokenVerifier

_ROUNDS = 7
_TOKENS = 200
_KEYS: dict[str, tuple[Any, Any]] = {
    "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm),
    "RS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
}
_numbers: Iterator[int] = count()


def _tokens(algorithm: str) -> list[str]:
    now = int(time.time())
    claims = {"iss": "bench", "aud": "telemed", "sub": "7b1de1b4-8b1c-4c5e-9a52-0c5f8f9b1a11", "role": "patient"}
    claims |= {"iat": now, "exp": now + 3600}  # type: ignore[dict-item]  # claims are of several types
    header = {"kid": algorithm, "typ": "at+jwt"}
    key = _KEYS[algorithm][0]
    return [jwt.encode({**claims, "jti": str(next(_numbers))}, key, algorithm, header) for _ in range(_TOKENS)]


async def _rate(verifier: TokenVerifier, algorithm: str, _round: int, *, seen: bool) -> float:
    """Tokens a second of processor time."""
    tokens = _tokens(algorithm)
    if seen:
        for token in tokens:
            await verifier.verify(token)
    started = time.process_time()
    for token in tokens:
        await verifier.verify(token)
    return _TOKENS / (time.process_time() - started)


async def main() -> None:
    """Measures and prints; some ten seconds."""
    published = [
        {**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, "alg": name} for name, (key, kind) in _KEYS.items()
    ]
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        path = Path(folder) / "jwks.json"
        path.write_text(json.dumps({"keys": published}))
        verifier = TokenVerifier(FileKeys(path), "bench", "telemed")
        pairs = [
            (
                Variant(f"{name} seen", partial(_rate, verifier, name, seen=True)),
                Variant(f"{name} new", partial(_rate, verifier, name, seen=False)),
            )
            for name in _KEYS
        ]
        variants = [variant for pair in pairs for variant in pair]
        await in_turn(variants, _ROUNDS)
    show_rates(variants)
    show_ratios(pairs)


if __name__ == "__main__":
    asyncio.run(main())
