"""A verified token is remembered, and nothing else about it: its life is judged at each use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from infra.http import bearers
from infra.http.bearers import MOST_REMEMBERED, Bearers
from services.identity.people import Role
from services.identity.tokens import (
    LEEWAY_SECONDS,
    LIFETIME,
    Audience,
    Bearer,
    SignedClaims,
    TokenExpired,
    TokenInvalid,
    TokenKeys,
    issue,
    read,
    token_keys,
)
from tests.identity.keys import private_key, private_pem, sign_es256

NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
ACCOUNT = UUID(int=10)
KEYS = token_keys("https://hiratsuka.example.jp", "k1", private_pem(private_key(1)))


def token(number: int = 1, *, account_id: UUID = ACCOUNT) -> str:
    return issue(
        KEYS, Bearer(Audience.WALLET, account_id, UUID(int=1), frozenset({Role.RESIDENT})), NOW, UUID(int=number)
    )


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts whose signatures were looked at."""
    texts: list[str] = []

    def counting(keys: TokenKeys, text: str, audience: Audience) -> SignedClaims:
        texts.append(text)
        return read(keys, text, audience)

    monkeypatch.setattr(bearers, "read", counting)
    return texts


def test_a_signature_is_checked_once(checked: list[str]) -> None:
    known, text = Bearers(KEYS), token()
    first = known.verify(text, Audience.WALLET, NOW)
    assert known.verify(text, Audience.WALLET, NOW) == first
    assert (first.account_id, first.roles, checked) == (ACCOUNT, frozenset({Role.RESIDENT}), [text])


def test_its_life_is_judged_at_each_use(checked: list[str]) -> None:
    known, text = Bearers(KEYS), token()
    leeway, second = timedelta(seconds=LEEWAY_SECONDS), timedelta(seconds=1)
    known.verify(text, Audience.WALLET, NOW)
    known.verify(text, Audience.WALLET, NOW + LIFETIME + leeway - second)
    with pytest.raises(TokenExpired):
        known.verify(text, Audience.WALLET, NOW + LIFETIME + leeway)
    with pytest.raises(TokenInvalid):
        known.verify(text, Audience.WALLET, NOW - leeway - second)
    known.verify(text, Audience.WALLET, NOW - leeway)
    assert checked == [text]


def test_a_token_that_begins_later_is_judged_at_each_use() -> None:
    known, second = Bearers(KEYS), int(NOW.timestamp())
    claims = {
        "iss": KEYS.issuer,
        "aud": "tanabata-wallet",
        "sub": str(ACCOUNT),
        "sid": str(ACCOUNT),
        "iat": second,
        "nbf": second + 600,
        "exp": second + 1_800,
        "jti": str(ACCOUNT),
        "roles": ["resident"],
    }
    text = sign_es256(private_key(1), {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims)
    known.verify(text, Audience.WALLET, NOW + timedelta(seconds=600))
    with pytest.raises(TokenInvalid):
        known.verify(text, Audience.WALLET, NOW)


def test_another_api_never_profits(checked: list[str]) -> None:
    known, text = Bearers(KEYS), token()
    known.verify(text, Audience.WALLET, NOW)
    for audience in (Audience.MERCHANT, Audience.CITY):
        for _ in range(2):
            with pytest.raises(TokenInvalid):
                known.verify(text, audience, NOW)
    assert len(known) == 1
    assert len(checked) == 5


def test_an_altered_text_of_a_remembered_token_is_refused() -> None:
    known, text = Bearers(KEYS), token()
    known.verify(text, Audience.WALLET, NOW)
    signed, _, signature = text.rpartition(".")
    other = token(account_id=UUID(int=11)).rpartition(".")[0]
    for altered in (
        f"{signed}.{signature[:-8]}AAAAAAAA",
        f"{other}.{signature}",
        f"{signed}.",
        text[:-1],
        text.swapcase(),
        f"{text} ",
        f"{text}.{signature}",
        f"{text}\ud800",
    ):
        with pytest.raises(TokenInvalid):
            known.verify(altered, Audience.WALLET, NOW)
    assert len(known) == 1


def test_a_failure_is_not_remembered(checked: list[str]) -> None:
    known, text = Bearers(KEYS), token()
    for _ in range(3):
        with pytest.raises(TokenInvalid):
            known.verify(f"{text}A", Audience.WALLET, NOW)
    assert (len(known), len(checked)) == (0, 3)


def test_the_memory_is_bounded_and_the_oldest_leaves(checked: list[str]) -> None:
    known, texts = Bearers(KEYS, most=3), [token(number) for number in range(5)]
    for text in texts:
        known.verify(text, Audience.WALLET, NOW)
        assert len(known) <= 3
    checked.clear()
    for text in reversed(texts):
        known.verify(text, Audience.WALLET, NOW)
    assert checked == [texts[1], texts[0]]
    assert MOST_REMEMBERED == 65_536


def test_no_token_is_kept() -> None:
    known, text = Bearers(KEYS), token()
    known.verify(text, Audience.WALLET, NOW)
    assert text.rpartition(".")[2] not in repr(vars(known))
