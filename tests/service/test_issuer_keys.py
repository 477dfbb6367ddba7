"""Keys of an issuer that lie elsewhere: fetched, kept, rotated, and where they may come from."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chassis.keys import RemoteKeys
from chassis.settings import DEMO_ISSUER, SharedSettings
from chassis.tokens import TokenVerifier
from kernel.errors import Unauthenticated
from tests.service.token_forge import KEYS, RSA, claims, signed

IDP = "https://idp.example"


@dataclass
class Provider:
    """An identity provider's address: a small HTTP server whose answer the test decides."""

    body: bytes = b""
    status: str = "200 OK"
    asked: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = f"HTTP/1.1 {self.status}\r\ncontent-length: {len(self.body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + self.body)
        await writer.drain()
        writer.close()

    def publish(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": list(keys)}).encode()


@pytest.fixture
async def provider() -> AsyncIterator[tuple[Provider, RemoteKeys]]:
    found = Provider()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    async with server:
        yield found, RemoteKeys(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json")


async def test_a_rotation_fails_no_call_and_withdrawn_keys_go(provider):
    issuer, keys = provider
    keys.again_seconds = keys.stale_seconds = 0.0
    verifier = TokenVerifier(keys, "clinic", "telemed")
    issuer.publish(KEYS[0])
    await verifier.verify(signed())
    issuer.publish(KEYS[0], KEYS[1])
    await asyncio.gather(*(verifier.verify(signed(RSA, "RS256", kid="rsa", said=claims(n=n))) for n in range(20)))
    issuer.publish(KEYS[1])
    with pytest.raises(Unauthenticated):
        await verifier.verify(signed(said=claims(n=1)))


async def test_made_up_key_ids_do_not_make_us_ask_the_issuer_each_time(provider):
    issuer, keys = provider
    issuer.publish(KEYS[0])
    verifier = TokenVerifier(keys, "clinic", "telemed")
    await verifier.verify(signed())
    for number in range(50):
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(kid=f"made up {number}"))
    assert issuer.asked == 1


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "404 Not Found"])
async def test_an_issuer_that_is_away_leaves_the_old_keys_good(provider, status: str):
    issuer, keys = provider
    keys.stale_seconds = 0.0
    issuer.publish(KEYS[0])
    verifier = TokenVerifier(keys, "clinic", "telemed")
    await verifier.verify(signed())
    issuer.status, issuer.body = status, b"{}"
    await verifier.verify(signed(said=claims(n=2)))


async def test_an_issuer_that_is_away_for_long_leaves_none(provider):
    issuer, keys = provider
    keys.stale_seconds = keys.stale_if_error_seconds = 0.0
    issuer.publish(KEYS[0])
    verifier = TokenVerifier(keys, "clinic", "telemed")
    await verifier.verify(signed())
    issuer.status = "503 Later"
    with pytest.raises(Unauthenticated):
        await verifier.verify(signed(said=claims(n=2)))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"keys": 1}', b"<html>", b"x" * 300_000])
async def test_an_answer_that_is_no_key_set_lets_nobody_in_and_breaks_nothing(provider, body: bytes):
    issuer, keys = provider
    issuer.body = body
    with pytest.raises(Unauthenticated):
        await TokenVerifier(keys, "clinic", "telemed").verify(signed())


@pytest.mark.parametrize("url", ["http://idp.example/jwks.json", "ftp://idp.example/jwks", "file:///etc/jwks"])
def test_keys_are_not_fetched_in_the_clear(url: str):
    with pytest.raises(ValueError, match="https"):
        RemoteKeys(url)


def test_the_demos_issuer_is_trusted_in_demo_mode_only(tmp_path: Path):
    with pytest.raises(ValueError, match="TELEMED_DEMO"):
        SharedSettings(jwks_file=tmp_path / "jwks.json")
    assert SharedSettings(jwks_file=tmp_path / "jwks.json", demo=True).token_issuer == DEMO_ISSUER
    assert SharedSettings(jwks_url="https://idp.example/jwks", token_issuer=IDP).jwks_file is None
    demo_too = ({"issuer": DEMO_ISSUER, "jwks_file": tmp_path / "jwks.json"},)
    with pytest.raises(ValueError, match="TELEMED_DEMO"):
        SharedSettings(jwks_url="https://idp.example/jwks", token_issuer=IDP, other_issuers=demo_too)


@pytest.mark.parametrize("settings", [{}, {"jwks_file": Path("a"), "jwks_url": "https://idp.example/jwks"}])
def test_keys_come_from_one_place(settings: dict[str, Any]):
    with pytest.raises(ValueError, match="TELEMED_JWKS_FILE and TELEMED_JWKS_URL"):
        SharedSettings(token_issuer=IDP, **settings)
