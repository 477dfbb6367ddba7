"""Join tokens as JWTs: for one person, one visit, a few minutes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from video_svc.app.ports import JoinToken
from video_svc.domain.visit import ParticipantType

ISSUER = "telemed-video"
AUDIENCE = "telemed-visit"
ALGORITHM = "ES256"
# A type of its own keeps the token from being taken for any other kind of JWT (RFC 8725 §3.11).
TYPE = "visit-join+jwt"


@dataclass(frozen=True, slots=True)
class SignedJoinTokens:
    """Keeps the promises of video_svc.app.ports.JoinTokens. Times are those of the clock that visits go by."""

    key: EllipticCurvePrivateKey
    ttl: timedelta

    def sign(self, session_id: str, subject: str, side: ParticipantType, now: datetime, close: datetime) -> JoinToken:
        """A fresh token, good from `now` for `ttl` and never past `close`, to the whole second."""
        begins = now.replace(microsecond=0)
        expires = min(begins + self.ttl, close.replace(microsecond=0))
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "role": side.value.lower(),
            "sid": session_id,
            "iat": begins,
            "nbf": begins,
            "exp": expires,
            "jti": str(uuid4()),
        }
        return JoinToken(jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"typ": TYPE}), expires)
