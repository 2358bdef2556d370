"""The resident's pay code: its minute, its claims, and damage of every kind.

The attacks on its header and signature are in `test_pay_code_attacks.py`.
"""

import inspect
import json
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey

from infra.phone import SandboxPhone
from services.kit.base64url import base64url
from services.kit.errors import Refusal
from services.payments.pay_code import (
    PayCodeClock,
    PayCodeExpired,
    PayCodeForged,
    PayCodeMalformed,
    VerifiedPayCode,
    peek_device,
    verify,
)
from tests.payments.pay_codes import (
    CLAIMS,
    CODE,
    DEVICE,
    FULL_WIDTH,
    HEADER,
    ISSUED,
    JOSERFC_KEY,
    JTI,
    KEY,
    NOW,
    PHONE,
    WALLET,
    joserfc_says,
    refuse_malformed,
    signed,
)

NO_IDS: list[object] = [
    "",
    1,
    True,
    [str(JTI)],
    str(JTI).upper(),
    JTI.hex,
    f"{{{JTI}}}",
    f"urn:uuid:{JTI}",
    f" {JTI}",
    f"{JTI}\n",
    str(JTI).translate(FULL_WIDTH),
    "../../etc/passwd",
    "' OR 1=1 --",
]
NO_SECONDS: list[object] = [
    True,
    False,
    ISSUED + 0.5,
    float(ISSUED),
    str(ISSUED),
    -1,
    10**12,
    10**40,
    [],
    {},
]


def one_of(claim: str, values: list[object]) -> list[dict[str, object]]:
    return [{claim: value} for value in values]


def test_a_code_is_accepted_for_its_whole_minute_and_names_who_made_it() -> None:
    for age in range(60):
        verified = verify(CODE, KEY, NOW + timedelta(seconds=age, microseconds=999_999))
        assert verified == VerifiedPayCode(JTI, DEVICE, WALLET, NOW)
    assert peek_device(CODE) == DEVICE


def test_a_code_made_here_is_accepted_by_another_library() -> None:
    token = joserfc_jwt.decode(CODE, JOSERFC_KEY, algorithms=["ES256"])
    assert (token.header, token.claims) == (HEADER, CLAIMS)


def test_a_code_made_by_another_library_is_accepted_here() -> None:
    key = ECKey.generate_key("P-256")
    token = joserfc_jwt.encode(HEADER, CLAIMS, key, algorithms=["ES256"])
    public = {name: str(value) for name, value in key.as_dict(private=False).items() if name != "kid"}
    assert verify(token, public, NOW).wallet_id == WALLET


def test_the_same_secret_and_instant_give_the_same_code() -> None:
    again = SandboxPhone(bytes(range(32))).pay_code(WALLET, DEVICE, NOW, JTI)
    assert again == CODE
    assert len(CODE) < 430


# Clocks


@pytest.mark.parametrize("age", [60, 61, 75, 120, 3600, 10**9])
def test_a_code_is_refused_from_its_sixtieth_second_with_its_age(age: int) -> None:
    with pytest.raises(PayCodeExpired) as refused:
        verify(CODE, KEY, NOW + timedelta(seconds=age))
    assert refused.value.params == {"age_seconds": age}


def test_an_age_is_told_in_whole_seconds_that_have_passed() -> None:
    with pytest.raises(PayCodeExpired) as refused:
        verify(CODE, KEY, NOW + timedelta(seconds=75, milliseconds=900))
    assert refused.value.params == {"age_seconds": 75}


def test_a_phone_two_minutes_slow_makes_codes_that_are_already_over() -> None:
    code = PHONE.pay_code(WALLET, DEVICE, NOW - timedelta(minutes=2), JTI)
    with pytest.raises(PayCodeExpired) as refused:
        verify(code, KEY, NOW)
    assert refused.value.params == {"age_seconds": 120}


def test_a_phone_two_minutes_fast_is_told_so() -> None:
    code = PHONE.pay_code(WALLET, DEVICE, NOW + timedelta(minutes=2), JTI)
    with pytest.raises(PayCodeClock) as refused:
        verify(code, KEY, NOW)
    assert refused.value.params == {"ahead_seconds": 120}


def test_thirty_seconds_fast_is_allowed_and_not_a_moment_more() -> None:
    code = PHONE.pay_code(WALLET, DEVICE, NOW + timedelta(seconds=30), JTI)
    assert verify(code, KEY, NOW).jti == JTI
    with pytest.raises(PayCodeClock) as refused:
        verify(code, KEY, NOW - timedelta(microseconds=1))
    assert refused.value.params == {"ahead_seconds": 31}


def test_a_code_that_names_a_shorter_life_has_it() -> None:
    code = signed(claims={"exp": ISSUED + 10})
    verify(code, KEY, NOW + timedelta(seconds=9))
    with pytest.raises(PayCodeExpired):
        verify(code, KEY, NOW + timedelta(seconds=10))


@pytest.mark.parametrize("life", [-60, -1, 0, 61, 120, 10**6])
def test_no_code_lives_longer_than_a_minute_or_not_at_all(life: int) -> None:
    refuse_malformed(signed(claims={"exp": ISSUED + life}))


# Claims


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_every_claim_is_required(claim: str) -> None:
    code = signed(claims={claim: None})
    assert joserfc_says(code)
    refuse_malformed(code)


@pytest.mark.parametrize("claim", ["nbf", "iss", "amount", "scope", ""])
def test_no_other_claim_is_allowed(claim: str) -> None:
    refuse_malformed(signed(claims={claim: ISSUED}))


@pytest.mark.parametrize(
    "wrong",
    [
        *one_of("aud", ["tanabata", "TANABATA-PAY", ["tanabata-pay"], 1, "", {}]),
        *one_of("sub", NO_IDS),
        *one_of("jti", NO_IDS),
        *one_of("iat", NO_SECONDS),
        *one_of("exp", NO_SECONDS),
    ],
)
def test_a_claim_of_another_form_is_refused(wrong: dict[str, object]) -> None:
    code = signed(claims=wrong)
    assert joserfc_says(code)
    refuse_malformed(code)


@pytest.mark.parametrize(("iat", "exp"), [(False, True), (10**12, 10**12 + 60), (10**40, 10**40 + 60)])
def test_a_life_beyond_the_calendar_is_refused(iat: int, exp: int) -> None:
    refuse_malformed(signed(claims={"iat": iat, "exp": exp}))


def test_a_nested_payload_is_refused_however_deep_the_caller_stands() -> None:
    nested = f"{base64url(b'[' * 350)}.{base64url(b'{}')}.x"

    def stand(depth: int) -> None:
        if depth:
            stand(depth - 1)
        else:
            refuse_malformed(nested)

    stand(sys.getrecursionlimit() - len(inspect.stack()) - 120)


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(CLAIMS)[:-1] + f', "sub": "{DEVICE}"}}',
        json.dumps(CLAIMS).replace(str(ISSUED), str(ISSUED).translate(FULL_WIDTH)),
        json.dumps(CLAIMS).replace(str(ISSUED), "NaN"),
        json.dumps(CLAIMS).replace(str(ISSUED), "Infinity"),
        json.dumps(CLAIMS).replace(str(ISSUED), "1e9"),
        json.dumps(CLAIMS) + " {}",
        json.dumps([CLAIMS]),
        "\ufeff" + json.dumps(CLAIMS),
        "null",
        "",
        "[" * 300,
    ],
)
def test_a_payload_that_is_not_one_plain_object_is_refused(payload: str) -> None:
    refuse_malformed(PHONE.sign_text(json.dumps(HEADER), payload))


# Damage


def test_no_beginning_of_a_code_is_accepted() -> None:
    for length in range(len(CODE)):
        with pytest.raises((PayCodeMalformed, PayCodeForged)):
            verify(CODE[:length], KEY, NOW)


@given(st.integers(0, len(CODE) - 1), st.characters())
def test_no_altered_character_is_accepted(position: int, sign: str) -> None:
    altered = CODE[:position] + sign + CODE[position + 1 :]
    if altered != CODE:
        with pytest.raises((PayCodeMalformed, PayCodeForged)):
            verify(altered, KEY, NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        CODE + ".",
        CODE + "." + CODE.split(".")[2],
        CODE + "=",
        CODE + " ",
        CODE + "\n",
        " " + CODE,
        CODE.replace("-", "+").replace("_", "/") + "+",
        CODE.replace(".", "．"),
        CODE.split(".", 1)[1],
        json.dumps({"payload": CODE}),
        "x" * 10_000_000,
        "." * 10_000,
    ],
)
def test_a_text_that_is_no_compact_token_is_refused(token: str) -> None:
    refuse_malformed(token)


def test_a_code_above_600_characters_is_not_even_opened() -> None:
    padded = PHONE.sign_text(json.dumps(HEADER) + " " * 200, json.dumps(CLAIMS))
    assert joserfc_says(padded)
    refuse_malformed(padded)


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=20))
def test_no_text_breaks_the_reader(header: str, payload: str, signature: str) -> None:
    for token in (f"{header}.{payload}.{signature}", PHONE.sign_text(header, payload)):
        with pytest.raises(PayCodeMalformed):
            verify(token, KEY, NOW)


def test_a_spoilt_registered_key_is_a_refusal_and_never_a_pass() -> None:
    with pytest.raises(Refusal):
        verify(CODE, {**KEY, "crv": "P-384"}, NOW)
