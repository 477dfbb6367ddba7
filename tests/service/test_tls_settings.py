"""TLS as the environment asks for it: complete and good, or a refusal to start that names the variable."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from prometheus_client import generate_latest
from pydantic import ValidationError

from chassis.metrics import REGISTRY
from chassis.settings import TlsSettings
from chassis.tls import show_certificate
from chassis.tls_files import PLAIN
from tests.certificates import Authority, Pair

Variables = dict[str, str]
CERT, KEY, CA, CLIENTS = (f"TELEMED_TLS_{name}" for name in ("CERT_FILE", "KEY_FILE", "CA_FILE", "CLIENT_CERTIFICATES"))


@pytest.fixture
def good(tmp_path: Path) -> Variables:
    """Everything that there is, and all of it good."""
    ca = Authority(tmp_path, "ca")
    pair = ca.issue("process")
    return {CERT: str(pair.certificate), KEY: str(pair.key), CA: str(ca.root), CLIENTS: "required"}


def settings_of(variables: Variables, monkeypatch: pytest.MonkeyPatch) -> TlsSettings:
    for name in (CERT, KEY, CA, CLIENTS):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return TlsSettings()


def test_without_any_variable_or_with_empty_ones_everything_is_plain(monkeypatch: pytest.MonkeyPatch):
    assert settings_of({}, monkeypatch).tls == PLAIN
    assert settings_of({CERT: "", KEY: "", CA: ""}, monkeypatch).tls == PLAIN


@pytest.mark.parametrize("left", [{CERT, KEY}, {CA}, {CERT, KEY, CA}, {CERT, KEY, CA, CLIENTS}], ids=len)
def test_what_makes_sense_together_is_taken(good: Variables, left: set[str], monkeypatch: pytest.MonkeyPatch):
    found = settings_of({name: value for name, value in good.items() if name in left}, monkeypatch).tls
    assert found.requires_client_certificates is (CLIENTS in left)
    assert {str(path) for path in (found.certificates, found.key, found.root_certificates) if path} == {
        good[name] for name in left - {CLIENTS}
    }


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        ({CERT}, f"set both {CERT} and {KEY}, or neither"),
        ({KEY, CA}, f"set both {CERT} and {KEY}, or neither"),
        ({CERT, KEY, CLIENTS}, f"{CLIENTS}=required needs {CERT}, {KEY} and {CA}"),
        ({CA, CLIENTS}, f"{CLIENTS}=required needs {CERT}, {KEY} and {CA}"),
    ],
)
def test_half_of_it_is_refused(good: Variables, left: set[str], sentence: str, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValidationError, match=sentence):
        settings_of({name: value for name, value in good.items() if name in left}, monkeypatch)


def _replace(name: str, content: bytes) -> Callable[[Variables], object]:
    return lambda good: Path(good[name]).write_bytes(content)


def _issue(key: Any) -> Callable[[Variables], Pair]:
    """Another key in place of the good one, with a certificate of its own."""
    return lambda good: Authority(Path(good[CA]).parent, "ca").issue("process", key=key)


def _with_a_password(good: Variables) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    Path(good[KEY]).write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )


SPOILT: dict[str, tuple[Callable[[Variables], object], str]] = {
    "no certificate there": (lambda good: Path(good[CERT]).unlink(), f"{CERT} cannot be read: .*No such file"),
    "no key there": (lambda good: Path(good[KEY]).unlink(), f"{KEY} cannot be read: .*No such file"),
    "no CA there": (lambda good: Path(good[CA]).unlink(), f"{CA} cannot be read: .*No such file"),
    "certificate is none": (_replace(CERT, b"x"), f"{CERT} names a file without a certificate in PEM"),
    "key is none": (_replace(KEY, b"x"), f"{KEY} names a file without a private key in PEM"),
    "CA is none": (_replace(CA, b""), f"{CA} names a file without a certificate in PEM"),
    "key of another": (
        lambda good: Authority(Path(good[CA]).parent, "x").issue("other").key.rename(good[KEY]),
        f"{KEY} is not the key of the first certificate in {CERT}",
    ),
    "key with a password": (_with_a_password, f"{KEY} names a key that asks for a password"),
    "key that gRPC does not take": (_issue(ed25519.Ed25519PrivateKey.generate()), f"{KEY} names a key that is neither"),
    "curve that gRPC does not take": (_issue(ec.generate_private_key(ec.SECP521R1())), f"{KEY} names a key that is"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentence"), SPOILT.values(), ids=SPOILT)
def test_files_that_cannot_be_used_are_refused(
    good: Variables, spoil: Callable[[Variables], object], sentence: str, monkeypatch: pytest.MonkeyPatch
):
    assert settings_of(good, monkeypatch)
    spoil(good)
    with pytest.raises(ValidationError, match=sentence):
        settings_of(good, monkeypatch)


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_the_usual_kinds_of_keys_are_taken(good: Variables, key: Any, monkeypatch: pytest.MonkeyPatch):
    _issue(key)(good)
    assert settings_of(good, monkeypatch).tls.read().key == Path(good[KEY]).read_bytes()


def test_how_long_the_certificate_is_good_for_is_a_number_of_the_process(
    good: Variables, monkeypatch: pytest.MonkeyPatch
):
    def shown() -> float:
        [line] = [line for line in generate_latest(REGISTRY).decode().splitlines() if line.startswith(name)]
        return float(line.split()[-1])

    name = "telemed_tls_certificate_remaining_seconds"
    show_certificate(settings_of(good, monkeypatch).tls)
    assert 86_000 < shown() <= 86_400
    Authority(Path(good[CA]).parent, "ca").issue("process", lives=timedelta(seconds=-5))
    assert -60 < shown() < 0, "it has ended"
    show_certificate(PLAIN)
    assert shown() == float("inf")
