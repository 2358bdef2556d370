"""Access tokens: who signed in, for which API, with which roles, for half an hour.

Law: nothing in a token chooses how it is checked. One algorithm, keys from an allow-list by
`kid`, one issuer a city, one audience an API, and a `typ` that no other kind of token of ours
has. The library checks the signature and whom the token is for; exp, nbf and iat are judged
here against the deed's instant, because the library only knows the machine's clock.
Source: RFC 9068 (at+jwt), RFC 8725 (what to refuse), RFC 7518 section 3.4 (ES256).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from services.identity.people import AccountKind, Role
from services.kit.errors import Kind, Refusal

TYPE = "at+jwt"
ALGORITHM = "ES256"
LIFETIME = timedelta(minutes=30)
LEEWAY_SECONDS = 10
"""How far the clocks of two workers may differ; they are held to 2 s of the database's."""
MAX_CHARACTERS = 2_048

_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER = frozenset({"alg", "typ", "kid"})
_OPTIONS: jwt.types.Options = {
    "require": ["exp", "iat", "iss", "aud", "sub", "jti", "roles"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class TokenInvalid(Refusal):
    """Not a token of ours for this API; why is not told."""

    code = "token_invalid"
    kind = Kind.UNAUTHENTICATED


class TokenExpired(Refusal):
    """A token of ours whose half hour is over: sign in again."""

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
    """A city's keys: the one that signs, and those that are believed, by `kid`; see `token_keys`."""

    issuer: str
    kid: str
    signing: ec.EllipticCurvePrivateKey = field(repr=False)
    believed: Mapping[str, ec.EllipticCurvePublicKey] = field(repr=False)


@dataclass(frozen=True)
class AccessToken:
    """What a verified token says."""

    account_id: UUID
    audience: Audience
    roles: frozenset[Role]
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


def token_keys(
    issuer: str, kid: str, signing_pem: bytes, believed_pems: Mapping[str, bytes] | None = None
) -> TokenKeys:
    """Keys from PEM: the signing key's `kid`, and public keys still believed after a rotation.

    The signing key is believed under its own `kid`. Raises ValueError for a key that is not
    on P-256, so that a server with a wrong or weak key never starts.
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
    return TokenKeys(issuer, kid, signing, believed)


def _public_key(kid: str, pem: bytes) -> ec.EllipticCurvePublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"the believed key {kid!r} is not a public key on P-256")  # noqa: TRY004 - a bad value
    return key


def issue(
    keys: TokenKeys, audience: Audience, account_id: UUID, roles: Iterable[Role], now: datetime, token_id: UUID
) -> str:
    """A token for one API, valid for `LIFETIME` from the second of `now`."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": keys.issuer,
        "aud": audience.value,
        "sub": str(account_id),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": str(token_id),
        "roles": sorted(role.value for role in roles),
    }
    return jwt.encode(claims, keys.signing, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": keys.kid})


def verify(keys: TokenKeys, token: str, audience: Audience, now: datetime) -> AccessToken:
    """What a bearer's token says, if it opens this API at `now`.

    Raises `TokenInvalid`, or `TokenExpired` for a token that was good once.
    """
    key = keys.believed.get(_kid(token))
    if key is None:
        raise TokenInvalid
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience.value,
            issuer=keys.issuer,
            options=_OPTIONS,
        )
    except jwt.PyJWTError as error:
        raise TokenInvalid from error
    return _judge(claims, audience, now)


def _kid(token: str) -> str:
    """The key that the header names, if the header is exactly ours: `alg`, `typ` and `kid`.

    So no `jwk`, `jku`, `x5u` or `crit` is ever looked at.
    """
    if len(token) > MAX_CHARACTERS or not token.isascii():
        raise TokenInvalid
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise TokenInvalid from error
    if header.keys() != _HEADER or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise TokenInvalid
    kid = header["kid"]
    if not isinstance(kid, str):
        raise TokenInvalid
    return kid


def _judge(claims: Mapping[str, Any], audience: Audience, now: datetime) -> AccessToken:
    instant = now.timestamp()
    issued, expiry = _second(claims["iat"]), _second(claims["exp"])
    not_before = _second(claims.get("nbf", issued))
    if max(issued, not_before) > instant + LEEWAY_SECONDS or expiry <= issued:
        raise TokenInvalid
    token = AccessToken(
        account_id=_uuid(claims["sub"]),
        audience=audience,
        roles=_roles(claims["roles"]),
        token_id=_uuid(claims["jti"]),
        issued_at=datetime.fromtimestamp(issued, UTC),
        expires_at=datetime.fromtimestamp(expiry, UTC),
    )
    if instant >= expiry + LEEWAY_SECONDS:
        raise TokenExpired
    return token


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
