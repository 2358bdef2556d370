"""Access tokens: what is issued is believed by two libraries, for one API, in one session, for ten minutes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey

from services.identity.people import AccountKind, Role
from services.identity.tokens import (
    AUDIENCE_OF,
    LEEWAY_SECONDS,
    AccessToken,
    Audience,
    Bearer,
    TokenExpired,
    TokenInvalid,
    issue,
    kid_of,
    token_keys,
    verify,
)
from tests.identity.keys import private_key, private_pem, public_pem

NOW = datetime(2026, 7, 7, 3, 0, 0, 250_000, tzinfo=UTC)
ACCOUNT = UUID("019f3a00-0000-7000-8000-00000000000a")
JTI = UUID("019f3a00-0000-7000-8000-00000000000b")
SESSION = UUID("019f3a00-0000-7000-8000-00000000000c")
ISSUER = "https://hiratsuka.example.jp"
KEYS = token_keys(ISSUER, "2026-07", private_pem(private_key()))


def token(audience: Audience = Audience.CITY, now: datetime = NOW) -> str:
    return issue(KEYS, Bearer(audience, ACCOUNT, SESSION, frozenset({Role.OFFICER, Role.APPROVER})), now, JTI)


def test_a_token_says_who_may_enter_which_api_until_when() -> None:
    assert verify(KEYS, token(), Audience.CITY, NOW) == AccessToken(
        account_id=ACCOUNT,
        session_id=SESSION,
        audience=Audience.CITY,
        roles=frozenset({Role.OFFICER, Role.APPROVER}),
        token_id=JTI,
        issued_at=NOW.replace(microsecond=0),
        expires_at=NOW.replace(microsecond=0) + timedelta(minutes=10),
    )


def test_another_library_reads_the_same() -> None:
    key = ECKey.import_key(public_pem(private_key()).decode())
    read = joserfc_jwt.decode(token(), key, algorithms=["ES256"])
    assert read.header == {"alg": "ES256", "typ": "at+jwt", "kid": "2026-07"}
    assert read.claims == {
        "iss": ISSUER,
        "aud": "tanabata-city",
        "sub": str(ACCOUNT),
        "sid": str(SESSION),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
        "jti": str(JTI),
        "roles": ["approver", "officer"],
    }


def test_a_token_opens_one_api_only() -> None:
    for issued in Audience:
        for asked in Audience:
            if issued is asked:
                assert verify(KEYS, token(issued), asked, NOW).audience is asked
            else:
                with pytest.raises(TokenInvalid):
                    verify(KEYS, token(issued), asked, NOW)


def test_every_kind_of_account_has_its_api() -> None:
    assert set(AUDIENCE_OF) == set(AccountKind)
    assert set(AUDIENCE_OF.values()) == set(Audience)


def test_time_is_the_deeds_and_not_the_machines() -> None:
    """2020 and 2099 are the same to it; the library's own clock would refuse one of them."""
    for year in (2020, 2099):
        then = NOW.replace(year=year)
        assert verify(KEYS, token(now=then), Audience.CITY, then + timedelta(minutes=9)).account_id == ACCOUNT


def test_ten_minutes_and_a_little_later_it_is_over() -> None:
    end = NOW.replace(microsecond=0) + timedelta(minutes=10, seconds=LEEWAY_SECONDS)
    assert LEEWAY_SECONDS <= 30
    verify(KEYS, token(), Audience.CITY, end - timedelta(milliseconds=1))
    with pytest.raises(TokenExpired):
        verify(KEYS, token(), Audience.CITY, end)


def test_a_token_from_the_future_is_not_believed() -> None:
    issued = NOW.replace(microsecond=0)
    verify(KEYS, token(), Audience.CITY, issued - timedelta(seconds=LEEWAY_SECONDS))
    with pytest.raises(TokenInvalid):
        verify(KEYS, token(), Audience.CITY, issued - timedelta(seconds=LEEWAY_SECONDS, milliseconds=1))


def test_a_rotation_believes_the_old_key_while_it_is_listed_and_no_longer() -> None:
    old = token()
    new_pem = private_pem(private_key(2))
    rotating = token_keys(ISSUER, "2026-08", new_pem, {"2026-07": public_pem(private_key())})
    assert verify(rotating, old, Audience.CITY, NOW).account_id == ACCOUNT
    with pytest.raises(TokenInvalid):
        verify(token_keys(ISSUER, "2026-08", new_pem), old, Audience.CITY, NOW)


def test_an_old_key_is_refused_after_its_retirement_and_the_signing_one_never() -> None:
    old, retired_at = token(), NOW + timedelta(minutes=5)
    believed = {"2026-07": public_pem(private_key())}
    rotating = token_keys(ISSUER, "2026-08", private_pem(private_key(2)), believed, {"2026-07": retired_at})
    assert verify(rotating, old, Audience.CITY, retired_at - timedelta(microseconds=1)).account_id == ACCOUNT
    for instant in (retired_at, retired_at + timedelta(minutes=1)):  # the token itself would live on
        with pytest.raises(TokenInvalid):
            verify(rotating, old, Audience.CITY, instant)
    interrupted = token_keys(ISSUER, "2026-07", private_pem(private_key()), believed, {"2026-07": retired_at})
    assert verify(interrupted, old, Audience.CITY, retired_at).account_id == ACCOUNT


def test_a_key_is_named_by_its_thumbprint() -> None:
    """As another library computes it."""
    key = ECKey.import_key(public_pem(private_key()).decode())
    assert kid_of(private_key().public_key()) == key.thumbprint()
    assert kid_of(private_key(2).public_key()) != key.thumbprint()


def test_another_citys_token_is_not_believed() -> None:
    pem = private_pem(private_key())
    with pytest.raises(TokenInvalid):  # even if two cities shared a key by mistake
        verify(token_keys("https://odawara.example.jp", "2026-07", pem), token(), Audience.CITY, NOW)
    with pytest.raises(TokenInvalid):
        verify(token_keys(ISSUER, "2026-07", private_pem(private_key(2))), token(), Audience.CITY, NOW)


def test_keys_that_are_wrong_or_weak_never_start() -> None:
    good = private_pem(private_key())
    for wrong in (
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ):
        with pytest.raises(ValueError, match="P-256"):
            token_keys(ISSUER, "k", private_pem(wrong))
        with pytest.raises(ValueError, match="P-256"):
            token_keys(ISSUER, "k", good, {"old": public_pem(wrong)})
    with pytest.raises(ValueError, match="two different keys"):
        token_keys(ISSUER, "k", good, {"k": public_pem(private_key(2))})
    for issuer, kid in (("", "k"), (ISSUER, ""), (ISSUER, "a/b"), (ISSUER, "x" * 65)):
        with pytest.raises(ValueError, match="issuer"):
            token_keys(issuer, kid, good)
    with pytest.raises(ValueError):
        token_keys(ISSUER, "k", b"not a key")


def test_no_key_is_shown() -> None:
    assert "EllipticCurve" not in repr(KEYS)
    assert "PRIVATE" not in repr(KEYS)
