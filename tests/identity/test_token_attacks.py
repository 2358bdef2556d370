"""RFC 8725's attacks on access tokens. joserfc is the second opinion on each that has a signature.

Every attack starts from a token that is believed and changes one thing, so that nothing but
that thing can be the reason for the refusal.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from infra.phone import SandboxPhone
from services.identity.people import Role
from services.identity.tokens import Audience, Bearer, TokenInvalid, issue, token_keys, verify
from services.payments.pay_code import PayCodeMalformed
from services.payments.pay_code import verify as verify_pay_code
from tests.identity.keys import (
    base64url,
    private_key,
    private_pem,
    public_pem,
    segment,
    sign_es256,
    sign_hs256,
    unbase64url,
)

NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ACCOUNT = UUID("019f3a00-0000-7000-8000-00000000000a")
JTI = UUID("019f3a00-0000-7000-8000-00000000000b")
SESSION = UUID("019f3a00-0000-7000-8000-00000000000c")
ISSUER = "https://hiratsuka.example.jp"
OWN, THIEF = private_key(1), private_key(666)
KEYS = token_keys(ISSUER, "k1", private_pem(OWN))
RESIDENT = Bearer(Audience.WALLET, ACCOUNT, SESSION, frozenset({Role.RESIDENT}))
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "tanabata-wallet",
    "sub": str(ACCOUNT),
    "sid": str(SESSION),
    "iat": SECOND,
    "exp": SECOND + 1800,
    "jti": str(JTI),
    "roles": ["resident"],
}


def believed(token: str) -> bool:
    try:
        verify(KEYS, token, Audience.WALLET, NOW)
    except TokenInvalid:
        return False
    return True


def signature_holds(token: str) -> bool:
    """The second opinion: joserfc, with our key and our algorithm."""
    try:
        jws.deserialize_compact(token, ECKey.import_key(public_pem(OWN).decode()), algorithms=["ES256"])
    except (JoseError, ValueError, KeyError):
        return False
    return True


def claims_hold(token: str) -> bool:
    """The second opinion on claims, at the same instant."""
    found = joserfc_jwt.decode(token, ECKey.import_key(public_pem(OWN).decode()), algorithms=["ES256"])
    rules = joserfc_jwt.JWTClaimsRegistry(
        now=SECOND,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "tanabata-wallet"},
        sub={"essential": True},
        sid={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
        roles={"essential": True, "allow_blank": True},
    )
    try:
        rules.validate(found.claims)
    except JoseError:
        return False
    return True


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name != key}


def test_the_control_is_believed_by_both() -> None:
    token = sign_es256(OWN, HEADER, CLAIMS)
    assert believed(token)
    assert signature_holds(token)
    assert claims_hold(token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_alg_none_is_refused(algorithm: str, signature: str) -> None:
    token = f"{segment(HEADER | {'alg': algorithm})}.{segment(CLAIMS)}.{signature}"
    assert not believed(token)
    assert not signature_holds(token)


def test_a_token_without_its_signature_is_refused() -> None:
    signed = sign_es256(OWN, HEADER, CLAIMS).rpartition(".")[0]
    for token in (signed, f"{signed}.", f"{signed}..", "", ".", "..", "...."):
        assert not believed(token)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_never_a_shared_secret(algorithm: str) -> None:
    header = HEADER | {"alg": algorithm}
    numbers = OWN.public_key().public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    for secret in (public_pem(OWN), public_pem(OWN).strip(), point, b""):
        token = sign_hs256(secret, header, CLAIMS)
        assert not believed(token)
        assert not signature_holds(token)
    assert not believed(sign_hs256(public_pem(OWN), HEADER, CLAIMS))  # while it calls itself ES256


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "es256"])
def test_no_other_algorithm_is_taken(algorithm: str) -> None:
    assert not believed(sign_es256(OWN, HEADER | {"alg": algorithm}, CLAIMS))


def test_a_token_of_another_kind_of_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    assert not believed(jwt.encode(CLAIMS, key, algorithm="RS256", headers={"typ": "at+jwt", "kid": "k1"}))


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": ECKey.import_key(public_pem(THIEF).decode()).as_dict()},
        {"jku": "https://evil.example/keys.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"cty": "JWT"},
        {"zip": "DEF"},
    ],
)
def test_a_key_that_a_token_brings_along_is_not_looked_at(extra: dict[str, Any]) -> None:
    assert not believed(sign_es256(THIEF, HEADER | extra, CLAIMS))
    assert not signature_holds(sign_es256(THIEF, HEADER | extra, CLAIMS))
    assert not believed(sign_es256(OWN, HEADER | extra, CLAIMS))  # and ours never brings one


@pytest.mark.parametrize("kid", ["k2", "", "K1", "k1 ", "../../dev/null", "' OR 1=1 --", "k1\x00", 1, None, ["k1"]])
def test_only_a_listed_kid_is_believed(kid: object) -> None:
    assert not believed(sign_es256(OWN, HEADER | {"kid": kid}, CLAIMS))


def test_a_kid_is_required() -> None:
    assert not believed(sign_es256(OWN, {"alg": "ES256", "typ": "at+jwt"}, CLAIMS))


def test_a_strangers_signature_is_refused() -> None:
    token = sign_es256(THIEF, HEADER, CLAIMS)
    assert not believed(token)
    assert not signature_holds(token)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "application/at+jwt", "AT+JWT", "tanabata-pay+jwt", "", None, 1])
def test_no_other_kind_of_token_passes_for_an_access_token(kind: object) -> None:
    assert not believed(sign_es256(OWN, HEADER | {"typ": kind}, CLAIMS))
    assert not believed(sign_es256(OWN, {"alg": "ES256", "kid": "k1"}, CLAIMS))


def test_a_pay_code_opens_no_api_and_an_access_token_pays_nothing() -> None:
    phone = SandboxPhone(bytes(range(32)))
    wallet, device = UUID(int=1), UUID(int=2)
    assert not believed(phone.pay_code(wallet, device, NOW, JTI))
    # Even if a phone's key were a key of the city, and its name a kid.
    numbers = phone.public_jwk()
    pem = public_pem_of_phone(numbers)
    shared = token_keys(ISSUER, "k1", private_pem(OWN), {str(device): pem})
    with pytest.raises(TokenInvalid):
        verify(shared, phone.pay_code(wallet, device, NOW, JTI), Audience.WALLET, NOW)
    with pytest.raises(PayCodeMalformed):
        verify_pay_code(issue(KEYS, RESIDENT, NOW, JTI), numbers, NOW)


def public_pem_of_phone(jwk: dict[str, str]) -> bytes:
    key = ECKey.import_key(dict(jwk))
    content: bytes = key.as_pem(private=False)
    return content


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_every_claim_is_required(claim: str) -> None:
    token = sign_es256(OWN, HEADER, without(claim))
    assert not believed(token)
    assert not claims_hold(token)
    assert not believed(sign_es256(OWN, HEADER, CLAIMS | {claim: None}))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "tanabata-city"},
        {"aud": "tanabata-merchant"},
        {"aud": "tanabata-wallet "},
        {"aud": ""},
        {"iss": "https://odawara.example.jp"},
        {"iss": ISSUER + "/"},
        {"nbf": SECOND + 60},
        {"iat": SECOND + 60},
    ],
)
def test_a_wrong_claim_is_refused_by_both(change: dict[str, Any]) -> None:
    token = sign_es256(OWN, HEADER, CLAIMS | change)
    assert signature_holds(token)
    assert not believed(token)
    assert not claims_hold(token)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["tanabata-wallet"]},
        {"aud": ["tanabata-wallet", "tanabata-city"]},
        {"aud": {"tanabata-wallet": 1}},
        {"iss": [ISSUER]},
        {"sub": ""},
        {"sub": "1"},
        {"sub": str(ACCOUNT).upper()},
        {"sub": "{" + str(ACCOUNT) + "}"},
        {"sub": 1},
        {"sub": [str(ACCOUNT)]},
        {"sid": str(SESSION).upper()},
        {"sid": ""},
        {"sid": [str(SESSION)]},
        {"jti": 7},
        {"jti": "x"},
        {"exp": str(SECOND + 1800)},
        {"exp": SECOND + 1800.5},
        {"exp": True},
        {"exp": -1},
        {"exp": 10**30},
        {"exp": SECOND},
        {"exp": SECOND - 1, "iat": SECOND},
        {"iat": str(SECOND)},
        {"iat": False},
        {"nbf": "0"},
        {"nbf": SECOND + 11},
        {"nbf": None},
        {"roles": "officer"},
        {"roles": {"officer": True}},
        {"roles": ["mayor"]},
        {"roles": [["officer"]]},
        {"roles": [None]},
    ],
)
def test_a_claim_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    assert not believed(sign_es256(OWN, HEADER, CLAIMS | change))


def test_a_token_that_begins_now_or_began_is_believed() -> None:
    assert believed(sign_es256(OWN, HEADER, CLAIMS | {"nbf": SECOND}))
    assert believed(sign_es256(OWN, HEADER, CLAIMS | {"nbf": SECOND - 600, "iat": SECOND - 600}))


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b"{", b"\xff", b"", b"[" * 1_050])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    good = sign_es256(OWN, HEADER, CLAIMS)
    head, _, signature = good.split(".")
    assert not believed(f"{head}.{base64url(payload)}.{signature}")
    assert not believed(f"{base64url(payload)}.{segment(CLAIMS)}.{signature}")


def test_a_token_longer_than_ours_is_not_even_read() -> None:
    assert not believed(sign_es256(OWN, HEADER, CLAIMS | {"note": "x" * 2_048}))
    assert not believed("é" * 100)
    assert not believed("\ud800")


@given(st.data())
def test_no_single_changed_character_is_believed(data: st.DataObject) -> None:
    good = sign_es256(OWN, HEADER, CLAIMS)
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz019-_.=+/ \n\u00e9"))
    changed = good[:at] + other + good[at + 1 :]
    assert believed(changed) == (changed == good)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    assert not believed(text)


@pytest.mark.parametrize("turn", [lambda r, s: (r, 0), lambda r, s: (0, s), lambda r, s: (0, 0), lambda r, s: (s, r)])
def test_a_signature_of_zeros_or_turned_around_is_refused(turn: Callable[[int, int], tuple[int, int]]) -> None:
    """CVE-2022-21449: a verifier that forgets to look for zero believes it."""
    signed, _, signature = sign_es256(OWN, HEADER, CLAIMS).rpartition(".")
    raw = unbase64url(signature)
    r, s = turn(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    token = f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"
    assert not believed(token)
    assert not signature_holds(token)
