"""Our reading of pay codes and PyJWT's come to the same verdict, word for word, over hundreds of altered codes."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from services.kit.base64url import base64url, unbase64url
from services.kit.errors import Refusal
from services.payments.pay_code import PayCodeForged, PayCodeMalformed, peek_device, peek_wallet, verify
from services.wallets.device_key import read_device_key
from tests.payments.pay_codes import CLAIMS, CODE, DEVICE, JTI, KEY, NOW, ORDER, PHONE, THIEF, signed

OPTIONS: jwt.types.Options = {
    "require": ["aud", "exp", "iat", "jti", "sub"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}
ODD: list[Any] = ["", " ", 0, 1, -1, 1.5, True, [], {}, ["x"], {"a": 1}, "é", "\ud800", 10**40, str(JTI)]


def ours(code: str) -> type[Refusal] | None:
    try:
        verify(code, KEY, NOW)
    except (PayCodeForged, PayCodeMalformed) as refusal:
        return type(refusal)
    return None


def pyjwts(code: str) -> type[Refusal] | None:
    """Header, claims and padding by our own rules, signature and audience by the library.

    PyJWT decodes padded segments; RFC 7515 section 2 leaves padding out, and joserfc refuses it.
    """
    if "=" in code:
        return PayCodeMalformed
    try:
        peek_device(code)
        peek_wallet(code)
        key = read_device_key(KEY).public_key()
        jwt.decode(code, key, algorithms=["ES256"], audience="tanabata-pay", options=OPTIONS)
    except jwt.InvalidSignatureError:
        return PayCodeForged
    except (jwt.PyJWTError, UnicodeError, PayCodeMalformed):
        return PayCodeMalformed
    return None


def altered() -> Iterator[str]:
    for at in range(0, len(CODE), 3):
        for sign in "A_-=.+/ \né":
            yield CODE[:at] + sign + CODE[at + 1 :]
        yield CODE[:at] + CODE[at + 1 :]
        yield CODE[:at]
    body, _, text = CODE.rpartition(".")
    raw = unbase64url(text)
    mirrored = raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    numbers = [raw[::-1], raw[32:] + raw[:32], raw[:32] + bytes(32), bytes(64), b"\xff" * 64, mirrored]
    for other in (b"", raw[:-1], raw + b"\0", *numbers):
        yield f"{body}.{base64url(other)}"
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":  # four spare bits
        yield CODE[:-1] + last
    for padding in ("=", "==", "===", "====", "=" * 6, "\n", " ", "\x00", "é", "\ud800"):
        yield CODE + padding
        yield f"{body}.{padding}"


def rightly_signed() -> Iterator[str]:
    for name in CLAIMS:
        for value in ODD:
            yield signed(claims={name: value})
        yield signed(claims={name: None})
    for name in ("alg", "typ", "kid", "crit", "b64", "jwk"):
        for value in ODD:
            yield signed({name: value})
        yield signed({name: None})
    for audience in ("tanabata-wallet", "TANABATA-PAY", ["tanabata-pay"], {"tanabata-pay": 1}):
        yield signed(claims={"aud": audience})
        yield signed(claims={"aud": audience}, phone=THIEF)
    yield PHONE.pay_code(JTI, DEVICE, NOW, JTI)
    yield CODE


@pytest.mark.parametrize("codes", [altered, rightly_signed], ids=["altered", "rightly signed"])
def test_our_reading_is_pyjwts(codes: Any) -> None:
    verdicts = [(code, ours(code), pyjwts(code)) for code in codes()]
    assert [each for each in verdicts if each[1] is not each[2]] == []
    assert len(verdicts) >= 150
    assert {None, PayCodeForged, PayCodeMalformed} <= {verdict for _, verdict, _ in verdicts}
