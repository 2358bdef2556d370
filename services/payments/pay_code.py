"""The resident's pay code: a short text that the phone signs, without a network, to be scanned.

Law: only a code that the registered key signed, for this use, in the last minute, is accepted;
nothing in the code chooses how the code is checked. Its life is judged against the deed's
instant. That it works once is kept by the deed, under `jti`. The tests hold this reading to PyJWT's
verdict, which takes twice the time, and lets padding pass that RFC 7515 forbids.
Source: RFC 7515 (compact JWS), RFC 7518 section 3.4 (ES256), RFC 8725 (what to refuse).
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import msgspec

from services.kit.base64url import unbase64url
from services.kit.errors import Refusal
from services.kit.es256 import has_signed
from services.kit.frozen import quick
from services.wallets.device_key import read_device_key, registered_key

TYPE = "tanabata-pay+jwt"
AUDIENCE = "tanabata-pay"
ALGORITHM = "ES256"
LIFETIME_SECONDS = 60
EARLY_SECONDS = 30  # how far a phone's clock may run fast; one that runs slow shortens the life
MAX_CHARACTERS = 600  # a code as specified has about 420
MOST_REMEMBERED = 8_192
"""Codes whose reading and whose signature are remembered: those of the last second or so."""
MOST_PHONES = 65_536
"""Phones whose header, the same in all their codes, is remembered: as many as their keys (`device_key`)."""

_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADER = frozenset({"alg", "typ", "kid"})
_CLAIMS = frozenset({"aud", "sub", "jti", "iat", "exp"})
_PLAIN = msgspec.json.Decoder(dict[str, str | int])


class PayCodeMalformed(Refusal):
    """Not a pay code: another kind of token, another algorithm, a member too many or missing."""

    code = "pay_code_malformed"


class PayCodeForged(Refusal):
    """The registered key did not sign this."""

    code = "pay_code_forged"


class PayCodeExpired(Refusal):
    """Its minute is over; carries `age_seconds` since it was made."""

    code = "pay_code_expired"


class PayCodeClock(Refusal):
    """Made in the future: the phone's clock runs fast; carries `ahead_seconds`."""

    code = "pay_code_clock"


@quick
@dataclass(frozen=True)
class VerifiedPayCode:
    """A pay code whose signature and time hold; the deed still has to use up its `jti`."""

    jti: UUID
    device_id: UUID
    wallet_id: UUID
    issued_at: datetime


@quick
@dataclass(frozen=True)
class _Claims:
    audience: object
    wallet_id: UUID
    jti: UUID
    issued_second: int
    expiry_second: int


@lru_cache(maxsize=MOST_REMEMBERED)
def peek_device(token: str) -> UUID:
    """The phone whose key is to be looked up; nothing of the code is proven yet.

    Raises PayCodeMalformed unless the header is exactly ours: `alg`, `typ` and `kid` once
    each, so that no `jwk`, `jku`, `x5u` or `crit` is ever looked at.
    """
    return _device(_segments(token)[0])


@lru_cache(maxsize=MOST_REMEMBERED)
def peek_wallet(token: str) -> UUID:
    """The wallet that the code says it pays from, to be locked; nothing of the code is proven yet.

    Raises PayCodeMalformed unless the claims are exactly ours.
    """
    return _claims(token).wallet_id


@lru_cache(maxsize=MOST_REMEMBERED)
def peek_use(token: str) -> UUID:
    """The name under which the code is used up; nothing of it is proven yet.

    It is its phone's own: nobody burns another phone's code by its `jti`. Raises PayCodeMalformed.
    """
    return uuid5(peek_device(token), str(_claims(token).jti))


def verify(token: str, public_jwk: Mapping[str, object], now: datetime) -> VerifiedPayCode:
    """Check a scanned code against the key registered for `peek_device(token)`, at `now`.

    Raises PayCodeMalformed, PayCodeForged, PayCodeExpired or PayCodeClock.
    """
    return verify_registered(token, read_device_key(public_jwk).canonical(), now)


def verify_registered(token: str, public_jwk: str, now: datetime) -> VerifiedPayCode:
    """As `verify`, with the key as text, in the form in which it was stored or another of the same key."""
    device_id = peek_device(token)
    claims = _claims(token)
    if not is_signed(token, public_jwk):
        raise PayCodeForged
    if claims.audience != AUDIENCE:
        raise PayCodeMalformed
    instant = now.timestamp()
    if instant >= claims.expiry_second:
        raise PayCodeExpired(age_seconds=math.floor(instant) - claims.issued_second)
    if claims.issued_second - instant > EARLY_SECONDS:
        raise PayCodeClock(ahead_seconds=math.ceil(claims.issued_second - instant))
    issued_at = datetime.fromtimestamp(claims.issued_second, UTC)
    return VerifiedPayCode(claims.jti, device_id, claims.wallet_id, issued_at)


@lru_cache(maxsize=MOST_REMEMBERED)
def is_signed(token: str, public_jwk: str) -> bool:
    """Whether the key signed this very code, which never changes: the code's life and use are judged elsewhere.

    Remembered for a while, so that a signature is checked when its request is read, and not again in the deed.
    Raises PayCodeMalformed for what is no signature at all.
    """
    signed, _, segment = token.rpartition(".")
    try:
        signature = unbase64url(segment)
    except ValueError as error:
        raise PayCodeMalformed from error
    return has_signed(registered_key(public_jwk), signed.encode("ascii"), signature)


def _segments(token: str) -> tuple[str, str, str]:
    if len(token) > MAX_CHARACTERS or token.count(".") != 2:
        raise PayCodeMalformed
    header, payload, signature = token.split(".")
    return header, payload, signature


@lru_cache(maxsize=MOST_PHONES)
def _device(segment: str) -> UUID:
    header = _members(segment)
    if header.keys() != _HEADER or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise PayCodeMalformed
    return _uuid(header["kid"])


@lru_cache(maxsize=MOST_REMEMBERED)
def _claims(token: str) -> _Claims:
    payload = _members(_segments(token)[1])
    if payload.keys() != _CLAIMS:
        raise PayCodeMalformed
    issued, expiry = _second(payload["iat"]), _second(payload["exp"])
    if not 0 < expiry - issued <= LIFETIME_SECONDS:
        raise PayCodeMalformed
    return _Claims(payload["aud"], _uuid(payload["sub"]), _uuid(payload["jti"]), issued, expiry)


def _members(segment: str) -> dict[str, Any]:
    """The JSON object in a segment: ASCII, canonical base64url, every member once."""
    try:
        text = unbase64url(segment)
        members = _plain_members(text)
        if members is None:
            members = json.loads(text.decode("ascii"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise PayCodeMalformed from error
    if not isinstance(members, dict):
        raise PayCodeMalformed
    return members


def _plain_members(text: bytes) -> dict[str, Any] | None:
    """The object as `json` would read it, in a tenth of the time; None for all but texts and whole numbers, named once.

    Quotation marks enclose each name and each text, so that their number tells whether a name came twice.
    """
    if not text.isascii():
        return None
    try:
        members = _PLAIN.decode(text)
    except msgspec.MsgspecError:
        return None
    texts = [value for value in members.values() if type(value) is str]
    return members if text.count(b'"') == 2 * (len(members) + len(texts)) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PayCodeMalformed
    return members


def _uuid(value: object) -> UUID:
    """Canonical text only: `UUID()` alone takes braces, upper case and digits of any script."""
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise PayCodeMalformed
    return msgspec.convert(value, UUID)


def _second(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise PayCodeMalformed
    return value
