"""A phone in software, for simulations and tests: it holds a key and makes pay codes.

It is written from the format's description, apart from the code that checks pay codes, so
that the two can disagree. Equal secrets and instants give equal codes (RFC 6979), which keeps
a simulation repeatable.
"""

import base64
import json
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-4


class SandboxPhone:
    """A phone whose key comes from 32 random bytes; a real one never lets its key out."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("a phone's secret has 32 bytes")
        scalar = int.from_bytes(secret) % (_ORDER - 1) + 1
        self._key = ec.derive_private_key(scalar, ec.SECP256R1())

    def public_jwk(self) -> dict[str, str]:
        """The public key as the phone registers it."""
        point = self._key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _base64url(point.x.to_bytes(32)),
            "y": _base64url(point.y.to_bytes(32)),
        }

    def pay_code(self, wallet_id: UUID, device_id: UUID, now: datetime, jti: UUID) -> str:
        """The code on the phone's screen: made at `now`, by the phone's own clock, for 60 seconds."""
        issued = int(now.timestamp())
        return self.sign(
            {"alg": "ES256", "typ": "tanabata-pay+jwt", "kid": str(device_id)},
            {
                "aud": "tanabata-pay",
                "sub": str(wallet_id),
                "jti": str(jti),
                "iat": issued,
                "exp": issued + 60,
            },
        )

    def sign(self, header: dict[str, object], payload: dict[str, object]) -> str:
        """A compact JWS of any header and payload, right or wrong."""
        return self.sign_text(*(json.dumps(part, separators=(",", ":")) for part in (header, payload)))

    def sign_text(self, header: str, payload: str) -> str:
        """A compact JWS over exactly these two texts."""
        signed = f"{_base64url(header.encode())}.{_base64url(payload.encode())}"
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return f"{signed}.{_base64url(r.to_bytes(32) + s.to_bytes(32))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
