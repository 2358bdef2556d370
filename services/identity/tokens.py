"""Access tokens: who signed in, for which API, in which session, with which roles, for ten minutes.

Law: nothing in a token chooses how it is checked. One algorithm, keys from an allow-list by
`kid`, one issuer a city, one audience an API, and a `typ` that no other kind of token of ours
has. Whether a key of ours signed it, for whom and what, does not change; exp, nbf and iat, and
whether its key is retired, are judged at each use against the deed's instant. PyJWT makes the
tokens, and the tests hold our reading to PyJWT's verdict: it takes twice the time of the signature.
Source: RFC 9068 (at+jwt), RFC 8725 (what to refuse), RFC 7518 section 3.4 (ES256).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from services.identity.people import AccountKind, Role
from services.kit.base64url import base64url, unbase64url
from services.kit.errors import Kind, Refusal
from services.kit.es256 import NUMBER_BYTES, has_signed

TYPE = "at+jwt"
ALGORITHM = "ES256"
LIFETIME = timedelta(minutes=10)
LEEWAY_SECONDS = 10
"""How far the clocks of two workers may differ; they are held to 2 s of the database's."""
MAX_CHARACTERS = 2_048

_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER = frozenset({"alg", "typ", "kid"})


class TokenInvalid(Refusal):
    """Not a token of ours for this API; why is not told."""

    code = "token_invalid"
    kind = Kind.UNAUTHENTICATED


class TokenExpired(Refusal):
    """A token of ours whose ten minutes are over: refresh the session."""

    code = "token_expired"
    kind = Kind.UNAUTHENTICATED


class Audience(StrEnum):
    """The API a token opens; a token opens one."""

    WALLET = "tanabata-wallet"
    MERCHANT = "tanabata-merchant"
    CITY = "tanabata-city"


AUDIENCE_OF = {
    AccountKind.RESIDENT: Audience.WALLET,
    AccountKind.MERCHANT: Audience.MERCHANT,
    AccountKind.CITY: Audience.CITY,
}


@dataclass(frozen=True)
class TokenKeys:
    """A city's keys: the one that signs, and those that are believed, by `kid`; see `token_keys`.

    `retired_at` is when a key that no longer signs ceases to be believed; without an instant, never.
    """

    issuer: str
    kid: str
    signing: ec.EllipticCurvePrivateKey = field(repr=False)
    believed: Mapping[str, ec.EllipticCurvePublicKey] = field(repr=False)
    retired_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Bearer:
    """Whom a token is for: an account in one of its sessions, at one API, with some of its roles."""

    audience: Audience
    account_id: UUID
    session_id: UUID
    roles: frozenset[Role]


@dataclass(frozen=True)
class AccessToken:
    """What a verified token says."""

    account_id: UUID
    session_id: UUID
    audience: Audience
    roles: frozenset[Role]
    token_id: UUID
    issued_at: datetime
    expires_at: datetime
    register_id: UUID | None = None
    """No claim: where its session is at a register, the door reads which from the tables at each request."""


def token_keys(
    issuer: str,
    kid: str,
    signing_pem: bytes,
    believed_pems: Mapping[str, bytes] | None = None,
    retired_at: Mapping[str, datetime] | None = None,
) -> TokenKeys:
    """Keys from PEM: the signing key's `kid`, and public keys still believed after a rotation.

    The signing key is believed under its own `kid`, and never retired while it signs. Raises
    ValueError for a key that is not on P-256, so that a server with a wrong or weak key never starts.
    """
    signing = load_pem_private_key(signing_pem, password=None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey) or not isinstance(signing.curve, ec.SECP256R1):
        raise ValueError("the key that signs tokens is a private key on P-256")  # noqa: TRY004 - a bad value
    believed = {name: _public_key(name, pem) for name, pem in (believed_pems or {}).items()}
    own = signing.public_key()
    if believed.setdefault(kid, own).public_numbers() != own.public_numbers():
        raise ValueError(f"two different keys are called {kid!r}")
    if not issuer or any(_KID.fullmatch(name) is None for name in believed):
        raise ValueError("an issuer is named, and a kid has 1 to 64 letters, digits and . _ -")
    retired = {name: instant for name, instant in (retired_at or {}).items() if name != kid}
    return TokenKeys(issuer, kid, signing, believed, retired)


def kid_of(key: ec.EllipticCurvePublicKey) -> str:
    """A key's name, which follows from the key itself. Source: RFC 7638 (SHA-256)."""
    numbers = key.public_numbers()
    x, y = (base64url(number.to_bytes(NUMBER_BYTES)) for number in (numbers.x, numbers.y))
    members = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return base64url(hashlib.sha256(members.encode("ascii")).digest())


def _public_key(kid: str, pem: bytes) -> ec.EllipticCurvePublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"the believed key {kid!r} is not a public key on P-256")  # noqa: TRY004 - a bad value
    return key


def issue(
    keys: TokenKeys,
    bearer: Bearer,
    now: datetime,
    token_id: UUID,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A token for one API, valid for `lifetime` from the second of `now`."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": keys.issuer,
        "aud": bearer.audience.value,
        "sub": str(bearer.account_id),
        "sid": str(bearer.session_id),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "jti": str(token_id),
        "roles": sorted(role.value for role in bearer.roles),
    }
    return jwt.encode(claims, keys.signing, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": keys.kid})


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """What one of our keys signed for one API; whether it is time, `judge` says at each use."""

    token: AccessToken
    begins_second: int
    expiry_second: int
    key_retired_at: datetime | None = None


def verify(keys: TokenKeys, token: str, audience: Audience, now: datetime) -> AccessToken:
    """What a bearer's token says, if it opens this API at `now`.

    Raises `TokenInvalid`, or `TokenExpired` for a token that was good once.
    """
    return judge(read(keys, token, audience), now)


def read(keys: TokenKeys, token: str, audience: Audience) -> SignedClaims:
    """What a token says, if one of our keys signed it for this API. Raises TokenInvalid."""
    if len(token) > MAX_CHARACTERS or not token.isascii():
        raise TokenInvalid
    signed, _, segment = token.rpartition(".")
    header, _, payload = signed.partition(".")
    try:
        signature = unbase64url(segment)
    except ValueError as error:
        raise TokenInvalid from error
    kid = _kid(header)
    key = keys.believed.get(kid)
    if key is None or not has_signed(key, signed.encode("ascii"), signature):
        raise TokenInvalid
    claims = _members(payload)
    if claims.get("iss") != keys.issuer or claims.get("aud") != audience.value:
        raise TokenInvalid
    return _claims(claims, audience, keys.retired_at.get(kid))


def judge(claims: SignedClaims, now: datetime) -> AccessToken:
    """The token, if `now` is within its life; `LEEWAY_SECONDS` are for the clocks of two workers.

    Raises `TokenInvalid` for one from the future and for one whose key is retired, and `TokenExpired`.
    """
    if claims.key_retired_at is not None and now >= claims.key_retired_at:
        raise TokenInvalid
    instant = now.timestamp()
    if claims.begins_second > instant + LEEWAY_SECONDS:
        raise TokenInvalid
    if instant >= claims.expiry_second + LEEWAY_SECONDS:
        raise TokenExpired
    return claims.token


@lru_cache(maxsize=64)
def _kid(header: str) -> str:
    """The key that a header names, if the header is exactly ours: `alg`, `typ` and `kid`.

    So no `jwk`, `jku`, `x5u` or `crit` is ever looked at. All tokens of a key have one header.
    """
    members = _members(header)
    if members.keys() != _HEADER or members["alg"] != ALGORITHM or members["typ"] != TYPE:
        raise TokenInvalid
    kid = members["kid"]
    if not isinstance(kid, str):
        raise TokenInvalid
    return kid


def _members(segment: str) -> dict[str, Any]:
    """The JSON object in a segment, which says everything once."""
    try:
        content = json.loads(unbase64url(segment), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise TokenInvalid from error
    if not isinstance(content, dict):
        raise TokenInvalid
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ on which of two equal names counts: there is none."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name appears twice in an object")
    return members


def _claims(claims: Mapping[str, Any], audience: Audience, key_retired_at: datetime | None) -> SignedClaims:
    issued, expiry = _second(claims.get("iat")), _second(claims.get("exp"))
    not_before = _second(claims.get("nbf", issued))
    if expiry <= issued:
        raise TokenInvalid
    token = AccessToken(
        account_id=_uuid(claims.get("sub")),
        session_id=_uuid(claims.get("sid")),
        audience=audience,
        roles=_roles(claims.get("roles")),
        token_id=_uuid(claims.get("jti")),
        issued_at=datetime.fromtimestamp(issued, UTC),
        expires_at=datetime.fromtimestamp(expiry, UTC),
    )
    return SignedClaims(token, max(issued, not_before), expiry, key_retired_at)


def _second(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise TokenInvalid
    return value


def _uuid(value: object) -> UUID:
    """Canonical text only: `UUID()` alone takes braces, upper case and digits of any script."""
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise TokenInvalid
    return UUID(value)


def _roles(value: object) -> frozenset[Role]:
    if not isinstance(value, list):
        raise TokenInvalid
    try:
        return frozenset(Role(role) for role in value)
    except ValueError as error:
        raise TokenInvalid from error
