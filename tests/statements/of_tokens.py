"""Statements on tokens: what is answered 401, and what never starts."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_TOKENS, _PAY_CODE = "services/identity/tokens.py", "services/payments/pay_code.py"
_ATTACKS, _OF_TOKENS = "tests/identity/test_token_attacks.py::", "tests/identity/test_tokens.py::"
_HTTP = "tests/infra/test_auth.py::"
_ANY_ALGORITHM = (_TOKENS, 'members["alg"] != ALGORITHM or ', "")
_SIGNATURE = 'if key is None or not has_signed(key, signed.encode("ascii"), signature):'
_SHARED = """pem = b""
    if key is not None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    shared = __import__("hmac").digest(pem, signed.encode("ascii"), "sha256")
    if key is None or not (signature == shared or has_signed(key, signed.encode("ascii"), signature)):"""

TOKENS: Final = Chapter(
    "Tokens",
    (
        Statement(
            "A token with `alg: none` is refused",
            (f"{_ATTACKS}test_alg_none_is_refused",),
            without(
                "any algorithm may be named, and an empty signature is not looked at",
                _ANY_ALGORITHM,
                (_TOKENS, _SIGNATURE, _SIGNATURE.replace("not has_signed", "signature and not has_signed")),
            ),
        ),
        Statement(
            "The public key is never taken for a shared secret (HS/RS confusion)",
            (f"{_ATTACKS}test_the_public_key_is_never_a_shared_secret",),
            without(
                "any algorithm may be named, and an HMAC under the public key counts as a signature",
                _ANY_ALGORITHM,
                (_TOKENS, _SIGNATURE, _SHARED),
            ),
        ),
        Statement(
            "What a token brings along (`jwk`, `jku`, `x5u`, `crit`) makes it refused",
            (f"{_ATTACKS}test_a_key_that_a_token_brings_along_is_not_looked_at",),
            without(
                "a header may have more members than ours",
                (_TOKENS, "members.keys() != _HEADER", "not members.keys() >= _HEADER"),
            ),
        ),
        Statement(
            "Only a listed `kid` is believed, whatever it spells",
            (f"{_ATTACKS}test_only_a_listed_kid_is_believed",),
            without(
                "an unknown `kid` stands for the signing key, and may be of any type",
                (_TOKENS, "keys.believed.get(kid)", "keys.believed.get(kid, keys.signing.public_key())"),
            ),
        ),
        Statement(
            "A stranger's signature is refused",
            (f"{_ATTACKS}test_a_strangers_signature_is_refused",),
            without("the signature is not compared", (_TOKENS, _SIGNATURE, "if key is None:")),
        ),
        Statement(
            "A token that lacks a required claim is refused",
            (f"{_ATTACKS}test_every_claim_is_required",),
            without(
                "an issuer that is not named is ours",
                (_TOKENS, 'claims.get("iss") != keys.issuer', 'claims.get("iss", keys.issuer) != keys.issuer'),
            ),
        ),
        Statement(
            "A token that has expired is refused",
            (
                f"{_OF_TOKENS}test_ten_minutes_and_a_little_later_it_is_over",
                f"{_HTTP}test_a_token_ends_after_ten_minutes_by_our_clock",
            ),
            without(
                "`exp` is not compared", (_TOKENS, "if instant >= claims.expiry_second + LEEWAY_SECONDS:", "if False:")
            ),
        ),
        Statement(
            "A token from the future (`nbf`, `iat`) is refused",
            (
                f"{_OF_TOKENS}test_a_token_from_the_future_is_not_believed",
                f"{_ATTACKS}test_a_wrong_claim_is_refused_by_both",
            ),
            without(
                "`nbf` is not compared", (_TOKENS, "if claims.begins_second > instant + LEEWAY_SECONDS:", "if False:")
            ),
        ),
        Statement(
            "Another kind of token is no access token, and another kind no pay code (`typ`)",
            (
                f"{_ATTACKS}test_no_other_kind_of_token_passes_for_an_access_token",
                "tests/payments/test_pay_code_attacks.py::test_another_kind_of_token_never_passes_for_a_pay_code",
            ),
            without(
                "neither reader compares `typ`",
                (_TOKENS, ' or members["typ"] != TYPE', ""),
                (_PAY_CODE, ' or header["typ"] != TYPE', ""),
            ),
        ),
        Statement(
            "A token opens the API that it names (`aud`) and no other",
            (f"{_OF_TOKENS}test_a_token_opens_one_api_only", f"{_HTTP}test_a_token_opens_its_own_api_only"),
            without("`aud` is not compared", (_TOKENS, ' or claims.get("aud") != audience.value', "")),
        ),
        Statement(
            "Another city's token is refused (`iss`)",
            (f"{_OF_TOKENS}test_another_citys_token_is_not_believed",),
            without("`iss` is not compared", (_TOKENS, 'claims.get("iss") != keys.issuer or ', "")),
        ),
        Statement(
            "A key that is too short or of another kind stops the start",
            (
                f"{_OF_TOKENS}test_keys_that_are_wrong_or_weak_never_start",
                "tests/infra/test_keys.py::test_a_short_key_stops_the_start",
            ),
            without(
                "neither the curve nor the length of a secret is looked at",
                (
                    _TOKENS,
                    "if not isinstance(signing, ec.EllipticCurvePrivateKey) or not isinstance(signing.curve, ec.SECP256R1):",
                    "if False:",
                ),
                (
                    "infra/keys.py",
                    "if min(len(code_key), len(session_key), len(webhook_key)) < MIN_SECRET_BYTES:",
                    "if False:",
                ),
            ),
        ),
        Statement(
            "After a rotation the old key is refused from its retirement on",
            (f"{_OF_TOKENS}test_an_old_key_is_refused_after_its_retirement_and_the_signing_one_never",),
            without(
                "a retired key is believed for ever",
                (_TOKENS, "if claims.key_retired_at is not None and now >= claims.key_retired_at:", "if False:"),
            ),
        ),
    ),
)
