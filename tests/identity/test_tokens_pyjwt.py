"""Our reading of access tokens and PyJWT's come to the same verdict, over hundreds of altered tokens."""

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from services.identity.people import Role
from services.identity.tokens import Audience, Bearer, TokenInvalid, issue, read
from tests.identity.keys import base64url, segment, sign_es256, sign_hs256, unbase64url
from tests.identity.test_token_attacks import (
    ACCOUNT,
    CLAIMS,
    HEADER,
    ISSUER,
    JTI,
    KEYS,
    NOW,
    OWN,
    SECOND,
    SESSION,
    THIEF,
)

GOOD = sign_es256(OWN, HEADER, CLAIMS)
OPTIONS: jwt.types.Options = {
    "require": ["exp", "iat", "iss", "aud", "sub", "sid", "jti", "roles"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
ODD: list[Any] = [
    None,
    "",
    " ",
    0,
    1,
    -1,
    1.5,
    True,
    [],
    {},
    ["x"],
    {"a": 1},
    "é",
    "\ud800",
    10**40,
    SECOND,
    str(SECOND),
]


def pyjwt_believes(token: str) -> bool:
    """What was asked of the library before: an exact header, a listed key, signature, issuer, audience, presence."""
    try:
        header = jwt.get_unverified_header(token)
        if header.keys() != HEADER.keys() or header["alg"] != "ES256" or header["typ"] != "at+jwt":
            return False
        claims = jwt.decode(
            token,
            KEYS.believed.get(header["kid"], THIEF.public_key()),
            algorithms=["ES256"],
            audience="tanabata-wallet",
            issuer=ISSUER,
            options=OPTIONS,
        )
    except (jwt.PyJWTError, UnicodeError):
        return False
    return len(token) <= 2_048 and token.isascii() and "=" not in token and says_all_once(token) and shape_holds(claims)


def says_all_once(token: str) -> bool:
    """The library takes the last of two equal names; we take none."""
    repeated: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    for part in token.split(".")[:2]:
        json.loads(unbase64url(part), object_pairs_hook=note)
    return not repeated


def shape_holds(claims: dict[str, Any]) -> bool:
    """What we ask of claims beyond the library, written apart."""
    seconds = [claims["iat"], claims["exp"], claims.get("nbf", 0)]
    if any(type(each) is not int or not 0 <= each < 253_402_300_800 for each in seconds):
        return False
    roles = claims["roles"]
    if not isinstance(roles, list) or not all(isinstance(role, str) and role in set(Role) for role in roles):
        return False
    known = [str(ACCOUNT), str(JTI), str(SESSION)]
    return bool(seconds[1] > seconds[0] and all(claims[name] in known for name in ("sub", "sid", "jti")))


def we_believe(token: str) -> bool:
    try:
        read(KEYS, token, Audience.WALLET)
    except TokenInvalid:
        return False
    return True


def signed_text(header: str | bytes, payload: str | bytes) -> str:
    """Signed by our own key, whatever it says: only the reading can refuse it."""
    contents = [part if isinstance(part, bytes) else part.encode() for part in (header, payload)]
    return signed_by_us(".".join(map(base64url, contents)))


def signed_by_us(text: str) -> str:
    r, s = decode_dss_signature(OWN.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"


def rightly_signed() -> Iterator[str]:
    """Signed by the key of the city, with something odd in the header or the claims."""
    for name in (*HEADER, "crit", "b64", "jwk", "cty"):
        for value in ODD:
            yield sign_es256(OWN, HEADER | {name: value}, CLAIMS)
        yield sign_es256(OWN, {key: value for key, value in HEADER.items() if key != name}, CLAIMS)
    for name in (*CLAIMS, "nbf", "scope"):
        for value in ODD:
            yield sign_es256(OWN, HEADER, CLAIMS | {name: value})
        yield sign_es256(OWN, HEADER, {key: value for key, value in CLAIMS.items() if key != name})
    header, claims = json.dumps(HEADER), json.dumps(CLAIMS)
    around = [claims + " ", " " + claims, claims + "x", claims * 2, "\ufeff" + claims]
    for odd in ["", " ", "{}", "[]", "null", "1", '"x"', "{", *around]:
        yield signed_text(header, odd)
        yield signed_text(odd.replace(claims, header), claims)
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        yield signed_text(header, claims.encode(encoding))
        yield signed_text(header.encode(encoding), claims)
    yield signed_text(header, claims[:-1] + ', "aud": "tanabata-city"}')
    yield signed_text(header, '{"aud": "tanabata-city", ' + claims[1:])
    yield signed_text(header[:-1] + ', "kid": "k2"}', claims)
    yield signed_text(header[:-1] + ', "kid": "k1"}', claims)
    yield signed_text(header, claims[:-1] + ', "x": ' + "9" * 5_000 + "}")
    yield signed_text(header, claims[:-1] + ', "x": NaN}')
    yield signed_text(header, "[" * 1_200)
    yield signed_text(header, b"\xff" + claims.encode())
    body = GOOD.rpartition(".")[0]
    first, second = body.split(".")
    for changed in (
        *(f"{first}=.{second}", f"{first}==.{second}", f"{first}.{second}=", f"{first}.{second}=="),
        *(f".{second}", f"{first}.", f"{first}.{second}.", f".{body}", f"{first}..{second}", first, "", "."),
        *(f"{first}.{second}.{second}", f"{first} .{second}", f"{first}.{second}\n", f"{first}\n.{second}"),
        *(f"{first}+.{second}", f"{first}.{second}/", f"{first}.{second}é"),
    ):
        yield signed_by_us(changed)
        for padding in ("=", "==", "===", "===="):
            yield signed_by_us(changed) + padding
    for name in ("k", "k1", "k12", "k123"):  # one of four lengths of a text needs no padding
        for padding in ("", "=", "==", "==="):
            yield signed_by_us(f"{segment({'note': name} | HEADER)}.{segment(CLAIMS | {'note': name})}{padding}")
            yield signed_by_us(f"{segment(HEADER)}{padding}.{segment(CLAIMS | {'note': name})}")


def altered() -> Iterator[str]:
    """A good token with one sign changed, left out or added, and others' signatures."""
    for at in range(0, len(GOOD), 3):
        for sign in "A_-=.+/ \n":
            yield GOOD[:at] + sign + GOOD[at + 1 :]
        yield GOOD[:at] + GOOD[at + 1 :]
        yield GOOD[:at]
        yield GOOD[:at] + "AA" + GOOD[at:]
    signed, _, signature = GOOD.rpartition(".")
    raw = unbase64url(signature)
    turned = [raw[::-1], raw[32:] + raw[:32], raw[:32] + bytes(32), bytes(64), b"\xff" * 64]
    for other in (b"", raw[:-1], raw + b"\0", *turned):
        yield f"{signed}.{base64url(other)}"
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":  # four spare bits
        yield GOOD[:-1] + last
    for padding in ("=", "==", "===", "====", "=" * 6, "\n", " ", "\x00", "é", "\ud800"):
        yield GOOD + padding
    yield sign_es256(THIEF, HEADER, CLAIMS)
    yield sign_hs256(b"secret", HEADER, CLAIMS)
    yield issue(KEYS, Bearer(Audience.CITY, ACCOUNT, SESSION, frozenset({Role.OFFICER})), NOW, JTI)
    yield GOOD + "x" * 2_048


@pytest.mark.parametrize("tokens", [rightly_signed, altered], ids=["rightly signed", "altered"])
def test_our_reading_is_pyjwts(tokens: Any) -> None:
    verdicts = [(token, we_believe(token), pyjwt_believes(token)) for token in tokens()]
    assert [(token, ours) for token, ours, theirs in verdicts if ours != theirs] == []
    assert len(verdicts) >= 400
    assert {ours for _, ours, _ in verdicts} == {True, False}
    assert we_believe(GOOD)
    assert pyjwt_believes(GOOD)
