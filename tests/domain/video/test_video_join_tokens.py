"""Join tokens are for one person and one visit, for a few minutes, signed by a key that only this service reads."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.domain.video.video_builders import END, PATIENT, SESSION, START
from video_svc.app.ports import JoinToken
from video_svc.domain.visit import ParticipantType
from video_svc.peers.join_key import signing_key
from video_svc.peers.join_tokens import SignedJoinTokens

KEY = signing_key(None)
TOKENS = SignedJoinTokens(KEY, timedelta(minutes=10))


def sign(now: datetime) -> JoinToken:
    return TOKENS.sign(SESSION, PATIENT, ParticipantType.PATIENT, now, END)


def claims_of(token: JoinToken) -> dict[str, object]:
    # The times are the visit's, not this machine's, so they are looked at and not checked against its clock.
    unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    return jwt.decode(token.text, KEY.public_key(), ["ES256"], unchecked, audience="telemed-visit")


def test_a_token_names_the_person_the_side_and_the_visit_and_nothing_else() -> None:
    claims = claims_of(sign(START))
    assert len(str(claims.pop("jti"))) == 36
    begins = int(START.timestamp())
    assert claims == {
        "iss": "telemed-video",
        "aud": "telemed-visit",
        "sub": PATIENT,
        "role": "patient",
        "sid": SESSION,
        "iat": begins,
        "nbf": begins,
        "exp": begins + 600,
    }


def test_a_token_never_outlives_the_join_window() -> None:
    token = sign(END - timedelta(minutes=4))
    assert token.expires == END
    assert claims_of(token)["exp"] == int(END.timestamp())


def test_the_expiry_told_is_the_expiry_signed() -> None:
    token = sign(START + timedelta(microseconds=900_000))
    assert claims_of(token)["exp"] == token.expires.timestamp()


def test_two_tokens_are_never_the_same() -> None:
    assert sign(START).text != sign(START).text


def test_a_token_does_not_show_itself_in_a_log() -> None:
    token = sign(START)
    assert token.text not in repr(token)


def test_a_missing_key_is_made_for_this_account_alone_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "not yet" / "join.pem"
    made = signing_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(path).private_numbers() == made.private_numbers()
    assert [file.name for file in path.parent.iterdir()] == ["join.pem"]


def test_replicas_that_start_together_sign_with_one_key(tmp_path: Path) -> None:
    path, replicas = tmp_path / "join.pem", 8
    together = Barrier(replicas)

    def start(_: int) -> int:
        together.wait()
        return signing_key(path).private_numbers().private_value

    with ThreadPoolExecutor(replicas) as pool:
        assert len(set(pool.map(start, range(replicas)))) == 1


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())])
def test_a_key_of_another_kind_is_refused(key, tmp_path: Path) -> None:
    path = tmp_path / "join.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    with pytest.raises(TypeError, match="P-256"):
        signing_key(path)
