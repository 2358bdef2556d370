"""A phone's public key: one shape is accepted, every other is refused by the member at fault."""

import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from infra.phone import SandboxPhone
from services.kit.base64url import base64url, unbase64url
from services.wallets.device_key import DeviceKeyInvalid, DeviceKeyPrivate, read_device_key

KEY = SandboxPhone(bytes(range(32))).public_jwk()
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


@given(st.binary(min_size=32, max_size=32))
def test_every_phones_key_is_accepted_and_named_as_another_library_names_it(secret: bytes) -> None:
    jwk = SandboxPhone(secret).public_jwk()
    key = read_device_key(jwk)
    assert key.jwk() == jwk
    assert key.thumbprint() == ECKey.import_key(dict(jwk)).thumbprint()
    numbers = key.public_key().public_numbers()
    assert (numbers.x, numbers.y) == tuple(int.from_bytes(unbase64url(jwk[name])) for name in "xy")


def test_the_order_of_members_makes_no_second_key() -> None:
    backwards = dict(reversed(KEY.items()))
    assert read_device_key(backwards).canonical() == read_device_key(KEY).canonical()
    assert read_device_key(KEY).canonical().startswith('{"crv":"P-256","kty":"EC","x":"')


def test_a_private_part_spoils_the_key() -> None:
    private = ECKey.generate_key("P-256").as_dict(private=True)
    with pytest.raises(DeviceKeyPrivate):
        read_device_key(private)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("kty", {"kty": "RSA"}),
        ("kty", {"kty": "oct", "k": "AAAA"}),
        ("kty", {"kty": "ec"}),
        ("kty", {"kty": None}),
        ("crv", {"crv": "P-384"}),
        ("crv", {"crv": "secp256k1"}),
        ("crv", {"crv": ["P-256"]}),
        ("alg", {"alg": "ES256"}),
        ("ext", {"ext": True}),
        ("kid", {"kid": "1"}),
        ("x5c", {"x5c": []}),
        ("x", {"x": ""}),
        ("x", {"x": 1}),
        ("x", {"x": KEY["x"] + "="}),
        ("x", {"x": KEY["x"][:-1]}),
        ("x", {"x": KEY["x"] + "A"}),
        ("x", {"x": "+" + KEY["x"][1:]}),
        ("x", {"x": "あ" + KEY["x"][1:]}),
        ("x", {"x": base64url(b"\0" + unbase64url(KEY["x"]))}),
        ("y", {"y": None}),
        ("y", {"y": base64url(secrets.token_bytes(31))}),
        ("y", {"y": base64url(bytes(32))}),
        ("y", {"y": KEY["x"], "x": KEY["y"]}),
        ("y", {"x": base64url(bytes(32)), "y": base64url(bytes(32))}),
        ("y", {"x": base64url((PRIME + 5).to_bytes(32)), "y": KEY["y"]}),
        ("y", {"x": base64url(b"\xff" * 32), "y": base64url(b"\xff" * 32)}),
    ],
)
def test_anything_but_a_point_on_the_curve_is_refused(member: str, change: dict[str, Any]) -> None:
    with pytest.raises(DeviceKeyInvalid) as refused:
        read_device_key(KEY | change)
    assert refused.value.params == {"member": member}


@pytest.mark.parametrize("member", ["kty", "crv", "x", "y"])
def test_every_member_is_required(member: str) -> None:
    with pytest.raises(DeviceKeyInvalid) as refused:
        read_device_key({name: value for name, value in KEY.items() if name != member})
    assert refused.value.params == {"member": member}


@given(st.binary(max_size=80))
def test_base64url_has_one_text_for_each_content(content: bytes) -> None:
    text = base64url(content)
    assert unbase64url(text) == content
    for other in (f"{text}=", f"{text}\n", f" {text}", f"{text}ア", f"{text}+"):
        with pytest.raises(ValueError, match="base64url"):
            unbase64url(other)


def test_spare_bits_make_no_second_text() -> None:
    assert unbase64url("AQ") == b"\x01"
    for other in ("AR", "AX", "AQ==", "AQA=", "AQAAA"):
        with pytest.raises(ValueError, match="base64url"):
            unbase64url(other)
