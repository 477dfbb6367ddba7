"""Who gets in: a good token of the issuer's, and nothing that somebody forged, found or made out of another."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from chassis.context import Role
from chassis.keys import FileKeys
from chassis.settings import SharedSettings
from chassis.tokens import TokenVerifier, verifier_of
from kernel.errors import Unauthenticated
from tests.service.token_forge import (
    EC,
    ED,
    GUARDIAN,
    KEYS,
    OTHER,
    OTHER_EC,
    PATIENT,
    RSA,
    SECRET,
    WRONG_CURVE,
    b64,
    by_hand,
    claims,
    hmac_with,
    jwk,
    signed,
    tampered,
)

PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
IDP = "https://idp.example"
PAST, FUTURE = int(time.time()) - 3600, int(time.time()) + 3600
GOOD = signed()
OWN_KEY = jwk(OTHER_EC, "ec", "ES256")
FORGED = {
    "empty": "",
    "blank": " ",
    "a word": "token",
    "two dots": "..",
    "one part": GOOD.split(".")[0],
    "no signature": ".".join(GOOD.split(".")[:2]) + ".",
    "no dot before the signature": GOOD.replace(".", "", 1),
    "four parts": f"{GOOD}.AAAA",
    "a truncated signature": GOOD[:-4],
    "a longer signature": GOOD + "AAAA",
    "a flipped byte": GOOD[:-2] + ("A" if GOOD[-2] != "A" else "B") + GOOD[-1],
    "not base64": GOOD[:-1] + "!",
    "a header that is no JSON": f"{b64(b'{')}.{GOOD.split('.', 1)[1]}",
    "a header that is a list": f"{b64(b'[]')}.{GOOD.split('.', 1)[1]}",
    "a very long one": signed(said=claims(note="x" * 10_000)),
    "alg none": by_hand({"alg": "none", "kid": "ec", "typ": "at+jwt"}, claims()),
    "alg None in capitals": by_hand({"alg": "NONE", "kid": "ec", "typ": "at+jwt"}, claims()),
    "no alg": by_hand({"kid": "ec", "typ": "at+jwt"}, claims()),
    "HS256 with the public key as the secret": by_hand(
        {"alg": "HS256", "kid": "rsa", "typ": "at+jwt"}, claims(), hmac_with(PEM)
    ),
    "HS256 with the public JWK as the secret": by_hand(
        {"alg": "HS256", "kid": "ec", "typ": "at+jwt"}, claims(), hmac_with(json.dumps(KEYS[0]).encode())
    ),
    "HS256 with the secret that stands in the set": by_hand(
        {"alg": "HS256", "kid": "secret", "typ": "at+jwt"}, claims(), hmac_with(SECRET)
    ),
    "RS256 said, EC key": signed(RSA, "RS256"),
    "ES256 said, RSA key": signed(EC, "ES256", kid="rsa"),
    "RS512 by the right RSA key": signed(RSA, "RS512", kid="rsa"),
    "PS256 by the right RSA key": signed(RSA, "PS256", kid="rsa"),
    "ES384 of the set": signed(WRONG_CURVE, "ES384", kid="p384"),
    "another key of the same kind": signed(OTHER_EC),
    "a key for encryption": signed(OTHER_EC, kid="encryption"),
    "a broken key": signed(kid="broken"),
    "an unknown kid": signed(kid="nobody"),
    "no kid": signed(kid=None),
    "a kid that is a path": signed(kid="../../etc/passwd"),
    "a kid that is a number": by_hand({"alg": "ES256", "kid": 1, "typ": "at+jwt"}, claims()),
    "its own key in jwk": signed(OTHER_EC, jwk=OWN_KEY),
    "its own keys at jku": signed(OTHER_EC, jku="https://evil.example/jwks.json"),
    "its own chain at x5u": signed(OTHER_EC, x5u="https://evil.example/chain.pem"),
    "an unknown critical header": signed(crit=["b64x"], b64x=True),
    "an ID token": signed(typ="id+jwt"),
    "a join token": signed(typ="visit-join+jwt"),
    "no type": signed(typ=""),
    "expired": signed(said=claims(exp=PAST)),
    "expired before the leeway": signed(said=claims(exp=int(time.time()) - 31)),
    "not yet good": signed(said=claims(nbf=FUTURE)),
    "issued in the future": signed(said=claims(iat=FUTURE)),
    "no exp": signed(said=claims(exp=None)),
    "no iat": signed(said=claims(iat=None)),
    "no sub": signed(said=claims(sub=None)),
    "an exp that is a text": signed(said=claims(exp="never")),
    "an endless exp": by_hand({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}, claims(exp="Infinity")),
    "another issuer": signed(said=claims(iss="clinic.evil")),
    "no issuer": signed(said=claims(iss=None)),
    "an issuer that begins alike": signed(said=claims(iss="clinic2")),
    "another audience": signed(said=claims(aud="billing")),
    "no audience": signed(said=claims(aud=None)),
    "an empty list of audiences": signed(said=claims(aud=[])),
    "an unknown role": signed(said=claims(role="root")),
    "no role": signed(said=claims(role=None)),
    "a list of roles": signed(said=claims(role=["admin"])),
    "a role in other letters": signed(said=claims(role="ADMIN")),
    "a patient whose name is no UUID": signed(said=claims(sub="bob")),
    "a doctor whose name is empty": signed(said=claims(sub="", role="doctor")),
    "an administrator whose name is SQL": signed(said=claims(sub="' OR 1=1 --", role="admin")),
    "an actor that is a text": signed(said=claims(act=GUARDIAN)),
    "an actor that is a list": signed(said=claims(act=[{"sub": GUARDIAN}])),
    "an actor that is null": signed(said={**claims(), "act": None}),
    "an actor without a name": signed(said=claims(act={})),
    "an actor with an empty name": signed(said=claims(act={"sub": ""})),
    "an actor whose name is a number": signed(said=claims(act={"sub": 7})),
    "an actor whose name is no UUID": signed(said=claims(act={"sub": "grandmother"})),
    "an actor whose name is a UUID in braces": signed(said=claims(act={"sub": f"{{{GUARDIAN}}}"})),
    "an actor who acts by another one": signed(said=claims(act={"sub": GUARDIAN, "act": {"sub": OTHER}})),
    "an actor who acts by nobody": signed(said=claims(act={"sub": GUARDIAN, "act": None})),
    "an actor of another issuer": signed(said=claims(act={"sub": GUARDIAN, "iss": IDP})),
    "an actor for a doctor": signed(said=claims(role="doctor", act={"sub": GUARDIAN})),
    "an actor for an administrator": signed(said=claims(role="admin", act={"sub": GUARDIAN})),
    "an actor for a service": signed(said=claims(role="service", act={"sub": GUARDIAN})),
    "a patient as their own actor": signed(said=claims(act={"sub": PATIENT})),
    "an actor put in afterwards": tampered(GOOD, act={"sub": GUARDIAN}),
    "claims changed afterwards": tampered(GOOD, role="admin"),
    "a lifetime changed afterwards": tampered(GOOD, exp=FUTURE),
}


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": KEYS}))
    return TokenVerifier(FileKeys(path), "clinic", "telemed")


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(EC, "ES256", "ec"), (RSA, "RS256", "rsa"), (ED, "EdDSA", "ed")]
)
async def test_a_good_token_of_each_kind_gets_in(verifier: TokenVerifier, key: Any, algorithm: str, key_id: str):
    caller = await verifier.verify(signed(key, algorithm, kid=key_id))
    assert (caller.role, caller.subject) == (Role.PATIENT, PATIENT)
    assert caller.actor == PATIENT


@pytest.mark.parametrize("act", [{"sub": GUARDIAN}, {"sub": GUARDIAN.upper(), "iss": "clinic", "client_id": "portal"}])
async def test_a_guardian_acts_for_a_patient(verifier: TokenVerifier, act: dict[str, str]):
    caller = await verifier.verify(signed(said=claims(act=act)))
    assert (caller.role, caller.subject, caller.actor) == (Role.PATIENT, PATIENT, GUARDIAN)


@pytest.mark.parametrize("kind", FORGED)
async def test_a_forged_token_stays_out_however_often_it_comes(verifier: TokenVerifier, kind: str):
    await verifier.verify(GOOD)
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            await verifier.verify(FORGED[kind])
        assert len(FORGED[kind]) < 10 or FORGED[kind] not in str(refused.value)


async def test_a_token_that_got_in_is_looked_at_again_once_it_has_expired(verifier: TokenVerifier, monkeypatch):
    short = signed(said=claims(exp=int(time.time()) + 5))
    await verifier.verify(short)
    verifier._keys = FileKeys(Path("/nowhere"))
    await verifier.verify(short)
    later = time.time() + 6
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await verifier.verify(short)


async def test_an_issuer_signs_by_its_algorithms_and_vouches_for_its_roles(tmp_path: Path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": KEYS}))
    verifier = TokenVerifier(FileKeys(path), "clinic", "telemed", algorithms=["ES256"], roles=[Role.PATIENT])
    await verifier.verify(signed())
    for token in (signed(RSA, "RS256", kid="rsa"), signed(said=claims(role="admin"))):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_each_of_several_issuers_is_trusted_for_its_own(tmp_path: Path):
    for name, key in (("people", jwk(EC, "ec", "ES256")), ("machines", jwk(OTHER_EC, "ec", "ES256"))):
        (tmp_path / name).write_text(json.dumps({"keys": [key]}))
    shared = SharedSettings(
        jwks_file=tmp_path / "people",
        token_issuer="clinic",  # noqa: S106 - a name
        token_roles=(Role.PATIENT, Role.DOCTOR, Role.ADMIN),
        other_issuers=({"issuer": "cluster", "jwks_file": tmp_path / "machines", "roles": ["service"]},),
    )
    verifier = verifier_of(shared)
    assert (await verifier.verify(signed())).subject == PATIENT
    service = claims(iss="cluster", role="service", sub="video_svc")
    assert (await verifier.verify(signed(OTHER_EC, said=service))).subject == "video_svc"
    wrong = [
        signed(EC, said=service),
        signed(OTHER_EC),
        signed(OTHER_EC, said=claims(iss="cluster")),
        signed(said=claims(role="service")),
        signed(said=claims(iss="elsewhere")),
        signed(said=claims(iss=None)),
        "..",
        "x" * 9000,
    ]
    for token in wrong:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)
