"""The attacks of RFC 8725 on a pay code: its algorithm, its key, its kind and its signature."""

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.kit.base64url import base64url, unbase64url
from services.payments.pay_code import PayCodeForged, PayCodeMalformed, peek_device, verify
from services.wallets.device_key import read_device_key
from tests.payments.pay_codes import (
    CLAIMS,
    CODE,
    DEVICE,
    FULL_WIDTH,
    HEADER,
    ISSUED,
    JTI,
    KEY,
    NOW,
    ORDER,
    PHONE,
    THIEF,
    joserfc_says,
    refuse_malformed,
    signed,
)

# Headers: RFC 8725 sections 2 and 3


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", CODE.rsplit(".", 1)[1]])
def test_an_unsigned_code_is_refused(name: str, signature: str) -> None:
    code = ".".join([*signed({"alg": name}).split(".")[:2], signature])
    assert not joserfc_says(code)
    refuse_malformed(code)


def test_the_public_key_is_never_taken_for_a_shared_secret() -> None:
    public = read_device_key(KEY).public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        json.dumps(KEY).encode(),
        read_device_key(KEY).canonical().encode(),
    ]
    for name, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        body = signed({"alg": name}).rsplit(".", 1)[0]
        for secret in secrets:
            code = f"{body}.{base64url(hmac.new(secret, body.encode(), digest).digest())}"
            assert not joserfc_says(code)
            refuse_malformed(code)
            # The same trick under the right name is a bad signature, not a good one.
            honest = CODE.rsplit(".", 1)[0]
            posing = f"{honest}.{base64url(hmac.new(secret, honest.encode(), digest).digest())}"
            assert not joserfc_says(posing)
            with pytest.raises(PayCodeForged):
                verify(posing, KEY, NOW)


@pytest.mark.parametrize(
    "name", ["RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "es256", "ES256 ", 256, ["ES256"]]
)
def test_no_other_algorithm_is_allowed(name: object) -> None:
    code = signed({"alg": name})
    refuse_malformed(code)
    with pytest.raises(PayCodeMalformed):
        peek_device(code)


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": THIEF.public_jwk()},
        {"jku": "https://thief.example/keys"},
        {"x5u": "https://thief.example/chain"},
        {"x5c": ["MIIB"]},
        {"x5t": "AAAA"},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A128GCM"},
        {"": ""},
    ],
)
def test_a_code_never_brings_its_own_key_or_rules(extra: dict[str, object]) -> None:
    for phone in (PHONE, THIEF):
        refuse_malformed(signed(extra, phone=phone))
        with pytest.raises(PayCodeMalformed):
            peek_device(signed(extra, phone=phone))


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        1,
        True,
        [str(DEVICE)],
        {"kid": str(DEVICE)},
        str(DEVICE).upper(),
        DEVICE.hex,
        f"{{{DEVICE}}}",
        f"{DEVICE} ",
        str(DEVICE).translate(FULL_WIDTH),
        "../../../dev/null",
        "x' UNION SELECT 'secret",
    ],
)
def test_the_phone_is_named_by_a_canonical_id_and_nothing_else(kid: object) -> None:
    code = signed({"kid": kid})
    with pytest.raises(PayCodeMalformed):
        peek_device(code)
    refuse_malformed(code)


@pytest.mark.parametrize(
    "kind", [None, "JWT", "at+jwt", "jwt", "TANABATA-PAY+JWT", "application/tanabata-pay+jwt", 1, ["tanabata-pay+jwt"]]
)
def test_another_kind_of_token_never_passes_for_a_pay_code(kind: object) -> None:
    code = signed({"typ": kind})
    assert joserfc_says(code) == (kind is None or isinstance(kind, str))
    refuse_malformed(code)


@pytest.mark.parametrize("key", ["a server's shared secret of more than 32 bytes", None])
def test_an_access_token_offered_as_a_pay_code_is_refused(key: str | None) -> None:
    claims: dict[str, Any] = {**CLAIMS, "iss": "tanabata", "role": "resident"}
    headers = {"typ": "at+jwt", "kid": str(DEVICE)}
    token = jwt.encode(claims, key, "HS256", headers) if key else PHONE.sign(HEADER | headers, claims)
    refuse_malformed(token)


@pytest.mark.parametrize(
    "header",
    [
        json.dumps(HEADER)[:-1] + ', "alg": "none"}',
        '{"alg": "none", ' + json.dumps(HEADER)[1:],
        json.dumps(HEADER)[:-1] + f', "kid": "{JTI}"}}',
        json.dumps(HEADER)[:-1] + f', "k\\u0069d": "{JTI}"}}',
        json.dumps([HEADER]),
        '"ES256"',
        "1",
        "",
    ],
)
def test_a_header_says_everything_once(header: str) -> None:
    refuse_malformed(PHONE.sign_text(header, json.dumps(CLAIMS)))


# Signatures


def test_another_phones_signature_is_forged() -> None:
    code = signed(phone=THIEF)
    assert not joserfc_says(code)
    with pytest.raises(PayCodeForged):
        verify(code, KEY, NOW)
    with pytest.raises(PayCodeForged):
        verify(CODE, THIEF.public_jwk(), NOW)


def test_a_changed_claim_under_an_old_signature_is_forged() -> None:
    header, _, signature = CODE.split(".")
    changes: list[dict[str, object]] = [
        {"sub": str(DEVICE)},
        {"jti": str(DEVICE)},
        {"iat": ISSUED + 1, "exp": ISSUED + 61},
    ]
    for change in changes:
        code = f"{header}.{signed(claims=change).split('.')[1]}.{signature}"
        assert not joserfc_says(code)
        with pytest.raises(PayCodeForged):
            verify(code, KEY, NOW)


def test_a_changed_phone_under_an_old_signature_is_forged() -> None:
    code = ".".join([signed({"kid": str(JTI)}).split(".")[0], *CODE.split(".")[1:]])
    with pytest.raises(PayCodeForged):
        verify(code, KEY, NOW)


@pytest.mark.parametrize(
    ("r", "s"),
    [(0, 0), (0, 1), (1, 0), (1, 1), (ORDER, ORDER), (ORDER - 1, ORDER - 1), (2**256 - 1, 2**256 - 1)],
)
def test_a_signature_of_empty_numbers_is_forged(r: int, s: int) -> None:
    code = f"{CODE.rsplit('.', 1)[0]}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"
    assert not joserfc_says(code)
    with pytest.raises(PayCodeForged):
        verify(code, KEY, NOW)


def test_a_signature_in_another_encoding_is_forged() -> None:
    body, _, text = CODE.rpartition(".")
    raw = unbase64url(text)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    for other in (der, raw + b"\0", b"\0" + raw, raw[:63], raw[:32], raw.hex().encode(), raw[::-1], b""):
        code = f"{body}.{base64url(other)}"
        assert not joserfc_says(code)
        with pytest.raises(PayCodeForged):
            verify(code, KEY, NOW)


def test_the_mirrored_signature_is_the_same_code_and_so_used_up_with_it() -> None:
    body, _, text = CODE.rpartition(".")
    raw = unbase64url(text)
    mirrored = raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    assert verify(f"{body}.{base64url(mirrored)}", KEY, NOW).jti == JTI
