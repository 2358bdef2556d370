"""One password over a hundred accounts: twenty tries are compared, and nobody else waits."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.identity import hashing, passwords
from services.identity.passwords import (
    CHEAPEST,
    SPREAD_BUCKETS,
    SPREAD_TRIES,
    PasswordCost,
    SignInRefused,
    SignInThrottled,
    hash_password,
    spread_bucket,
)
from services.identity.people import AccountKind
from services.identity.sign_in_staff import SignedInStaff, StaffSignIn, sign_in_staff
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.errors import Busy

KEY = bytes(range(32))
PASSWORD, SPRAYED = "vivid-otter-lamp-42", "natsu-matsuri-2026"
VICTIM = "victim@shop.example.jp"


@pytest.fixture
async def victim(city: Database) -> str:
    kept = hash_password(PASSWORD, CHEAPEST, bytes(16))
    await city.transact(open_merchant_account, OpenMerchantAccount(None, VICTIM, "店員", kept))
    return VICTIM


async def enter(city: Database, email: str, password: str) -> SignedInStaff:
    entered = await sign_in_staff(city, StaffSignIn(AccountKind.MERCHANT, email, password, CHEAPEST, key=KEY))
    assert isinstance(entered, SignedInStaff)
    return entered


async def spray(city: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[Any]]:
    """One password at a hundred addresses at once: how often it was compared, and the answers."""
    compared: list[str] = []

    def counting(stored: str | None, password: str, cost: PasswordCost) -> bool:
        compared.append(password)
        return False

    with monkeypatch.context() as patched:
        patched.setattr(hashing, "password_fits", counting)
        patched.setattr(hashing, "MAX_WAITING", 200)
        addresses = [f"clerk-{number}@shop.example.jp" for number in range(100)]
        answers = await asyncio.gather(*(enter(city, each, SPRAYED) for each in addresses), return_exceptions=True)
    return len(compared), answers


async def test_of_one_password_over_a_hundred_accounts_twenty_are_compared(
    city: Database, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, answers = await spray(city, monkeypatch)
    assert compared == SPREAD_TRIES
    assert sum(isinstance(answer, SignInRefused) for answer in answers) == SPREAD_TRIES
    late = [answer for answer in answers if isinstance(answer, SignInThrottled | Busy)]  # a slow machine is busy
    assert len(late) == 100 - SPREAD_TRIES
    assert (await enter(city, victim, PASSWORD)).account.email == victim


async def test_without_the_count_of_buckets_more_are_compared(city: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: each address alone has tries enough."""
    monkeypatch.setattr(passwords, "SPREAD_TRIES", 1_000)
    compared, _ = await spray(city, monkeypatch)
    assert compared > SPREAD_TRIES


async def test_who_has_that_very_password_waits_an_hour_at_most(city: Database, clock: SetClock) -> None:
    kept = hash_password(SPRAYED, CHEAPEST, bytes(16))
    await city.transact(open_merchant_account, OpenMerchantAccount(None, VICTIM, "店員", kept))
    for number in range(SPREAD_TRIES):
        with pytest.raises(SignInRefused):
            await enter(city, f"nobody-{number}@shop.example.jp", SPRAYED)
    with pytest.raises(SignInThrottled) as refused:
        await enter(city, VICTIM, SPRAYED)
    assert refused.value.params == {"retry_after_seconds": 3_600}
    clock.advance(timedelta(hours=1))
    assert (await enter(city, VICTIM, SPRAYED)).account.email == VICTIM


async def test_right_passwords_are_given_back(city: Database, victim: str, clock: SetClock) -> None:
    for _ in range(SPREAD_TRIES + 5):
        await enter(city, victim, PASSWORD)
    async with city.begin() as tx:
        assert (await tx.connection.execute(text("SELECT max(tries) FROM password_spread"))).scalar_one() == 0


async def test_nothing_of_the_password_is_kept_but_its_bucket(city: Database) -> None:
    with pytest.raises(SignInRefused):
        await enter(city, VICTIM, SPRAYED)
    async with city.begin() as tx:
        [found] = (await tx.connection.execute(text("SELECT bucket, tries FROM password_spread"))).all()
    assert tuple(found) == (spread_bucket(KEY, SPRAYED), 1)


def test_buckets_are_few_even_and_secret() -> None:
    found = [spread_bucket(KEY, f"password {number}") for number in range(2_000)]
    assert all(0 <= bucket < SPREAD_BUCKETS for bucket in found)
    assert len(set(found)) > 1_900
    assert spread_bucket(KEY, "ｖｉｖｉｄ") == spread_bucket(KEY, "vivid")  # as passwords are compared
    assert spread_bucket(bytes(32), SPRAYED) != spread_bucket(KEY, SPRAYED)
    with pytest.raises(ValueError, match="32 bytes"):
        spread_bucket(bytes(31), SPRAYED)
