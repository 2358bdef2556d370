"""The public key that a resident's phone registers: one shape, checked once, kept canonical.

Law: a key that this module returns is a point on P-256 without a private part, and two
registrations of the same key are the same text. Source: RFC 7517, RFC 7518 section 6.2,
thumbprints RFC 7638.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec

from services.kit.base64url import base64url, unbase64url
from services.kit.errors import Refusal

COORDINATE_BYTES = 32  # P-256
MOST_KEYS = 65_536
"""Keys of phones that are remembered: of those that pay within a day or so."""


class DeviceKeyInvalid(Refusal):
    """Not exactly an ES256 public key; carries `member`, the one that is wrong."""

    code = "device_key_invalid"


class DeviceKeyPrivate(Refusal):
    """The private part came along: the key is spoilt, the phone has to make another."""

    code = "device_key_private"


@dataclass(frozen=True)
class DeviceKey:
    """A registered key; `x` and `y` are coordinates of 32 bytes in base64url."""

    x: str
    y: str

    def jwk(self) -> dict[str, str]:
        """The key as a JWK of its required members only, in lexicographic order."""
        return {"crv": "P-256", "kty": "EC", "x": self.x, "y": self.y}

    def canonical(self) -> str:
        """The one JSON text of this key: what is stored, compared and hashed (RFC 7638)."""
        return json.dumps(self.jwk(), separators=(",", ":"), sort_keys=True)

    def thumbprint(self) -> str:
        """SHA-256 of the canonical text, in base64url: 43 characters that name the key."""
        return base64url(hashlib.sha256(self.canonical().encode()).digest())

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key for the signature library. Raises ValueError for a point off the curve."""
        return ec.EllipticCurvePublicNumbers(
            int.from_bytes(unbase64url(self.x)), int.from_bytes(unbase64url(self.y)), ec.SECP256R1()
        ).public_key()


def read_device_key(jwk: Mapping[str, object]) -> DeviceKey:
    """Check a JWK that a phone sent: exactly `kty`, `crv`, `x` and `y`, a point on the curve.

    Raises DeviceKeyPrivate, or DeviceKeyInvalid naming the member at fault.
    """
    if "d" in jwk:
        raise DeviceKeyPrivate
    for member, wanted in (("kty", "EC"), ("crv", "P-256")):
        if jwk.get(member) != wanted:
            raise DeviceKeyInvalid(member=member)
    stranger = next(iter(sorted(jwk.keys() - {"kty", "crv", "x", "y"})), None)
    if stranger is not None:
        raise DeviceKeyInvalid(member=stranger[:20])
    key = DeviceKey(_coordinate(jwk, "x"), _coordinate(jwk, "y"))
    try:
        key.public_key()
    except ValueError as error:
        raise DeviceKeyInvalid(member="y") from error
    return key


@lru_cache(maxsize=MOST_KEYS)
def registered_key(jwk: str) -> ec.EllipticCurvePublicKey:
    """The key in a registered JWK, remembered, because making it takes as long as using it."""
    return read_device_key(json.loads(jwk)).public_key()


def _coordinate(jwk: Mapping[str, object], member: str) -> str:
    text = jwk.get(member)
    if not isinstance(text, str):
        raise DeviceKeyInvalid(member=member)
    try:
        if len(unbase64url(text)) == COORDINATE_BYTES:
            return text
    except ValueError as error:
        raise DeviceKeyInvalid(member=member) from error
    raise DeviceKeyInvalid(member=member)
