"""Staff sign-in: ten wrong passwords a quarter of an hour, whoever guesses and whoever exists."""

import asyncio
import threading
import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.identity import hashing, passwords
from services.identity.hashing import MAX_WAITING, THREADS, compare_password, hash_new_password
from services.identity.passwords import (
    CHEAPEST,
    TRIES,
    PasswordCost,
    PasswordGuessable,
    SignInRefused,
    SignInThrottled,
    hash_password,
)
from services.identity.people import Account, AccountKind, AccountStatus, EmailMalformed, Role
from services.identity.sign_in_staff import StaffSignIn
from services.identity.staff import (
    OpenCityAccount,
    OpenMerchantAccount,
    SetAccountStatus,
    open_city_account,
    open_merchant_account,
    set_account_status,
)
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Busy
from services.kit.ids import SeededEntropy
from tests.identity import factor

PASSWORD, OTHER = "vivid-otter-lamp-42", "vivid-otter-lamp-43"
KEY = bytes(range(32))
CLERK, OFFICER = "clerk@shop.example.jp", "officer@city.example.jp"


@pytest.fixture
async def staff(city: Database) -> dict[str, UUID]:
    """A clerk and an officer with the same password."""
    kept = hash_password(PASSWORD, CHEAPEST, bytes(16))
    clerk = await city.transact(open_merchant_account, OpenMerchantAccount(None, CLERK, "店員 一郎", kept))
    command = OpenCityAccount(None, OFFICER, "職員 花子", kept, (Role.OFFICER, Role.APPROVER))
    officer = await city.transact(open_city_account, command)
    return {CLERK: clerk.account_id, OFFICER: officer.account_id}


async def enter(
    city: Database, email: str, password: str = PASSWORD, kind: AccountKind = AccountKind.MERCHANT
) -> Account:
    return (await factor.enter(city, StaffSignIn(kind, email, password, CHEAPEST, key=KEY))).account


async def tries(city: Database, email: str) -> int:
    async with city.begin() as tx:
        query = text("SELECT coalesce(sum(tries), 0) FROM password_tries WHERE email = :e")
        return int((await tx.connection.execute(query, {"e": email})).scalar_one())


async def test_the_right_password_enters_with_its_roles(city: Database, staff: dict[str, UUID]) -> None:
    clerk = await enter(city, " Clerk@Shop.example.jp ")
    assert (clerk.id, clerk.roles, clerk.name) == (staff[CLERK], (Role.MERCHANT,), "店員 一郎")
    officer = await enter(city, OFFICER, kind=AccountKind.CITY)
    assert (officer.id, officer.roles) == (staff[OFFICER], (Role.APPROVER, Role.OFFICER))
    assert "店員" not in repr(clerk)
    assert CLERK not in repr(StaffSignIn(AccountKind.MERCHANT, CLERK, PASSWORD, key=KEY))
    assert PASSWORD not in repr(StaffSignIn(AccountKind.MERCHANT, CLERK, PASSWORD, key=KEY))
    async with city.begin() as tx:
        query = text("SELECT actor_id FROM audit_entry WHERE action = 'account.signed_in' ORDER BY recorded_at")
        assert set((await tx.connection.execute(query)).scalars()) == set(staff.values())


async def test_every_no_is_the_same_no(city: Database, staff: dict[str, UUID]) -> None:
    command = SetAccountStatus(None, staff[OFFICER], AccountStatus.DISABLED, "left")
    attempts = [
        (CLERK, OTHER, AccountKind.MERCHANT),
        (CLERK, "", AccountKind.MERCHANT),
        (CLERK, PASSWORD + "x" * 200, AccountKind.MERCHANT),
        (CLERK, "\ud800", AccountKind.MERCHANT),
        ("nobody@shop.example.jp", PASSWORD, AccountKind.MERCHANT),
        (CLERK, PASSWORD, AccountKind.CITY),
        (CLERK, PASSWORD, AccountKind.RESIDENT),
        (OFFICER, PASSWORD, AccountKind.MERCHANT),
        (OFFICER, PASSWORD, AccountKind.CITY),
    ]
    await city.transact(set_account_status, command)
    for email, password, kind in attempts:
        with pytest.raises(SignInRefused) as refused:
            await enter(city, email, password, kind)
        assert refused.value.params == {}
    with pytest.raises(EmailMalformed):
        await enter(city, "clerk")


async def test_an_unknown_address_is_hashed_for_like_a_known_one(
    city: Database, staff: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def watching(stored: str | None, password: str, cost: PasswordCost) -> bool:
        asked.append(stored is not None)
        return passwords.password_fits(stored, password, cost)

    monkeypatch.setattr(hashing, "password_fits", watching)
    for email, kind in ((CLERK, AccountKind.MERCHANT), ("nobody@shop.example.jp", AccountKind.MERCHANT)):
        with pytest.raises(SignInRefused):
            await enter(city, email, OTHER, kind)
    with pytest.raises(SignInRefused):
        await enter(city, CLERK, OTHER, AccountKind.CITY)
    assert asked == [True, False, False]


def test_nobodys_hash_takes_as_long_as_somebodys() -> None:
    cost = PasswordCost(passes=2, memory_kib=16_384, lanes=1)
    stored = hash_password(PASSWORD, cost, bytes(16))
    passwords.password_fits(None, OTHER, cost)  # makes nobody's hash

    def fastest(kept: str | None) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            passwords.password_fits(kept, OTHER, cost)
            times.append(time.perf_counter() - began)
        return min(times)

    somebody, nobody = fastest(stored), fastest(None)
    assert nobody > somebody / 3


@pytest.mark.parametrize("email", [CLERK, "nobody@shop.example.jp"])
async def test_ten_wrong_passwords_and_the_address_rests(
    city: Database, staff: dict[str, UUID], clock: SetClock, email: str
) -> None:
    for _ in range(TRIES):
        with pytest.raises(SignInRefused):
            await enter(city, email, OTHER)
        clock.advance(timedelta(seconds=1))
    with pytest.raises(SignInThrottled) as refused:
        await enter(city, email)
    assert refused.value.params == {"retry_after_seconds": 890}
    assert (await enter(city, OFFICER, kind=AccountKind.CITY)).id == staff[OFFICER]
    clock.advance(timedelta(seconds=890))
    if email == CLERK:
        assert (await enter(city, email)).id == staff[CLERK]
    else:
        with pytest.raises(SignInRefused):
            await enter(city, email)


async def test_right_passwords_are_never_counted_and_never_forgive_wrong_ones(
    city: Database, staff: dict[str, UUID]
) -> None:
    for _ in range(TRIES + 5):
        await enter(city, CLERK)
    assert await tries(city, CLERK) == 0
    for _ in range(TRIES - 1):
        with pytest.raises(SignInRefused):
            await enter(city, CLERK, OTHER)
        await enter(city, CLERK)
    with pytest.raises(SignInRefused):
        await enter(city, CLERK, OTHER)
    with pytest.raises(SignInThrottled):
        await enter(city, CLERK)


async def naive_guess(tx: Tx, email: str) -> bool:
    """The control: count, compare, then write the count that was read."""
    query = text("SELECT coalesce(max(tries), 0) FROM password_tries WHERE email = :e")
    tried = (await tx.connection.execute(query, {"e": email})).scalar_one()
    if tried >= TRIES:
        return False
    await asyncio.sleep(0.01)
    write = text(
        "INSERT INTO password_tries VALUES (:e, :now, :n) ON CONFLICT (email) DO UPDATE SET tries = excluded.tries"
    )
    await tx.connection.execute(write, {"e": email, "now": tx.now, "n": tried + 1})
    return True


@pytest.mark.parametrize("email", [CLERK, "nobody@shop.example.jp"])
async def test_of_a_hundred_guesses_at_once_ten_are_compared(
    city: Database, staff: dict[str, UUID], monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    naive = await asyncio.gather(
        *(city.transact(naive_guess, "control@shop.example.jp") for _ in range(100)), return_exceptions=True
    )
    assert naive.count(True) > TRIES, "without the reservation more than ten are compared"
    assert all(isinstance(each, bool | Busy) for each in naive)  # a slow machine is busy

    compared = []

    def counting(stored: str | None, password: str, cost: PasswordCost) -> bool:
        compared.append(password)
        return False

    monkeypatch.setattr(hashing, "password_fits", counting)
    answers = await asyncio.gather(
        *(enter(city, email, f"{OTHER}-{number}") for number in range(100)), return_exceptions=True
    )
    assert len(compared) == TRIES
    assert sum(isinstance(answer, SignInRefused) for answer in answers) == TRIES
    late = [answer for answer in answers if isinstance(answer, SignInThrottled | Busy)]  # a slow machine is busy
    assert len(late) == 100 - TRIES


async def test_a_password_that_changed_while_it_was_hashed_no_longer_enters(
    city: Database, staff: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [
        ("UPDATE account SET password_hash = 'other' WHERE email = :e", SignInRefused),
        ("UPDATE account SET status = 'disabled' WHERE email = :e", SignInRefused),
    ]
    for change, refusal in changes:

        async def slow(stored: str | None, password: str, cost: PasswordCost, change: str = change) -> bool:
            async with city.begin() as tx:
                await tx.connection.execute(text(change), {"e": CLERK})
            return True

        with monkeypatch.context() as patch:
            patch.setattr("services.identity.sign_in_staff.compare_password", slow)
            with pytest.raises(refusal):
                await enter(city, CLERK)


async def test_hashing_holds_no_connection_and_not_the_loop(
    city: Database, staff: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty sign-ins hash while all eight connections are free for others."""
    began, go_on = threading.Event(), threading.Event()

    def held(stored: str | None, password: str, cost: PasswordCost) -> bool:
        began.set()
        return go_on.wait(10) and False

    monkeypatch.setattr(hashing, "password_fits", held)
    waiting = [asyncio.create_task(enter(city, f"clerk{number}@shop.example.jp")) for number in range(20)]
    try:
        assert await asyncio.to_thread(began.wait, 10)
        async with asyncio.timeout(5):
            assert await tries(city, CLERK) == 0
    finally:
        go_on.set()
    assert all(isinstance(answer, SignInRefused) for answer in await asyncio.gather(*waiting, return_exceptions=True))


async def test_the_queue_for_hashing_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def held(stored: str | None, password: str, cost: PasswordCost) -> bool:
        return go_on.wait(10)

    monkeypatch.setattr(hashing, "password_fits", held)
    waiting = [asyncio.create_task(compare_password(None, OTHER, CHEAPEST)) for _ in range(THREADS + MAX_WAITING)]
    await asyncio.sleep(0)
    try:
        with pytest.raises(Busy):
            await compare_password(None, OTHER, CHEAPEST)
    finally:
        go_on.set()
    assert await asyncio.gather(*waiting) == [True] * (THREADS + MAX_WAITING)
    assert await compare_password(None, OTHER, CHEAPEST)


async def test_a_new_password_is_checked_before_it_is_hashed() -> None:
    entropy = SeededEntropy(7)
    kept = await hash_new_password("Clerk@Shop.example.jp", PASSWORD, CHEAPEST, entropy)
    assert passwords.password_fits(kept, PASSWORD, CHEAPEST)
    assert await hash_new_password("clerk@shop.example.jp", PASSWORD, CHEAPEST, entropy) != kept
    with pytest.raises(PasswordGuessable):
        await hash_new_password("clerk@shop.example.jp", "this-is-Clerk-42", CHEAPEST, entropy)
    with pytest.raises(EmailMalformed):
        await hash_new_password("clerk", PASSWORD, CHEAPEST, entropy)
