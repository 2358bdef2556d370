"""Staff need a second factor: enrolled once, each code used once, guessed at five times, and nothing before it."""

from base64 import b32decode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.identity import second_factor
from services.identity.change_password import NewPassword, change_password, try_password
from services.identity.hashing import hash_new_password
from services.identity.open_session import BY_BEARER
from services.identity.passwords import CHEAPEST
from services.identity.people import AccountKind, AccountStatus, Role
from services.identity.prove_factor import Enrol, FactorGuess, SignedInTwice, enrol, prove_factor
from services.identity.reset_factor import ResetFactor, reset_factor
from services.identity.second_factor import (
    AttemptExpired,
    FactorAsked,
    FactorEnrolled,
    FactorNotEnrolled,
    FactorThrottled,
    FactorWrong,
)
from services.identity.session import read_token
from services.identity.sign_in_staff import SignedInStaff, StaffSignIn, sign_in_staff
from services.identity.staff import (
    OpenCityAccount,
    OpenMerchantAccount,
    SetAccountStatus,
    open_city_account,
    open_merchant_account,
    set_account_status,
)
from services.identity.totp import code_at, step_of
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Forbidden, Missing

EMAIL, CLERK, PASSWORD, NEW = "sato@city.example.jp", "c@shop.example.jp", "tsuki-to-hoshi-88", "kawa-no-nagare-55"
KEY = bytes(range(32))
GUESSES = 100


@pytest.fixture
async def officer(city: Database) -> UUID:
    secret = await hash_new_password(EMAIL, PASSWORD, CHEAPEST, city.entropy)
    return (
        await city.transact(open_city_account, OpenCityAccount(None, EMAIL, "佐藤", secret, (Role.OFFICER,)))
    ).account_id


async def begin(city: Database, password: str = PASSWORD, **more: Any) -> FactorAsked:
    asked = await sign_in_staff(city, StaffSignIn(AccountKind.CITY, EMAIL, password, CHEAPEST, key=KEY, **more))
    assert isinstance(asked, FactorAsked)
    return asked


async def show(city: Database, asked: FactorAsked, typed: str, **more: Any) -> SignedInTwice:
    kind = asked.account.kind
    return await prove_factor(city, FactorGuess(kind, asked.attempt_id, typed, KEY, opening=BY_BEARER, **more))


async def enrolled(city: Database) -> tuple[bytes, SignedInTwice]:
    """The officer's first sign-in: the secret in their app, and what they were answered."""
    asked = await begin(city)
    secret = b32decode((await city.transact(enrol, Enrol(AccountKind.CITY, asked.attempt_id, KEY))).secret)
    return secret, await show(city, asked, now(city, secret))


def now(city: Database, secret: bytes, steps: int = 0) -> str:
    return code_at(secret, step_of(city.clock.now()) + steps)


def wrong(city: Database, secret: bytes) -> str:
    near = {now(city, secret, steps) for steps in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


async def sessions(city: Database) -> int:
    async with city.begin() as tx:
        return int((await tx.connection.execute(text("SELECT count(*) FROM session"))).scalar_one())


async def test_a_right_password_alone_opens_no_session(city: Database, officer: UUID) -> None:
    asked = await begin(city)
    assert (asked.account.id, asked.ways) == (officer, ())
    assert await sessions(city) == 0
    with pytest.raises(FactorNotEnrolled):
        await show(city, asked, "123456")
    secret, first = await enrolled(city)
    assert len(first.recovery_codes) == 10
    assert (await begin(city)).ways == ("totp", "recovery_code")
    assert await sessions(city) == 1
    assert all(code not in repr(first) for code in first.recovery_codes)
    assert secret not in repr(first).encode()


async def test_a_clerk_needs_none_until_they_own_a_store_or_have_one(city: Database) -> None:
    secret = await hash_new_password(CLERK, PASSWORD, CHEAPEST, city.entropy)
    clerk = await city.transact(open_merchant_account, OpenMerchantAccount(None, CLERK, "店員", secret))
    attempt = StaffSignIn(AccountKind.MERCHANT, CLERK, PASSWORD, CHEAPEST, key=KEY)

    async def owns(_tx: Tx, account_id: UUID) -> bool:
        return account_id == clerk.account_id

    assert isinstance(await sign_in_staff(city, attempt), SignedInStaff)
    asked = await sign_in_staff(city, replace(attempt, needs_factor=owns))
    assert isinstance(asked, FactorAsked)
    made = await city.transact(enrol, Enrol(AccountKind.MERCHANT, asked.attempt_id, KEY))
    await show(city, asked, now(city, b32decode(made.secret)))
    assert isinstance(await sign_in_staff(city, attempt), FactorAsked), "whoever has one is asked for it"


async def test_a_code_works_once_and_so_do_those_before_it(city: Database, officer: UUID, clock: SetClock) -> None:
    secret, _ = await enrolled(city)
    with pytest.raises(FactorWrong):
        await show(city, await begin(city), now(city, secret))
    clock.advance(timedelta(seconds=30))
    asked = await begin(city)
    with pytest.raises(FactorWrong):
        await show(city, asked, now(city, secret, -1))
    await show(city, asked, now(city, secret))
    with pytest.raises(AttemptExpired):
        await show(city, asked, now(city, secret, 1))


@pytest.mark.parametrize("off", [-2, 2])
async def test_a_clock_that_is_a_minute_off_is_refused(
    city: Database, officer: UUID, clock: SetClock, off: int
) -> None:
    secret, _ = await enrolled(city)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(FactorWrong):
        await show(city, await begin(city), now(city, secret, off))


async def test_a_recovery_code_works_once_in_any_writing(city: Database, officer: UUID) -> None:
    _, first = await enrolled(city)
    code = first.recovery_codes[3]
    signed = await show(city, await begin(city), code.lower().replace("-", " "))
    assert signed.recovery_codes == ()
    with pytest.raises(FactorWrong):
        await show(city, await begin(city), code)


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "1234567", "４GX2-9KQM-7T0P-1B3H", "👍", "é́12345", "0" * 400])
async def test_what_is_no_code_is_wrong_like_any_other(city: Database, officer: UUID, typed: str) -> None:
    await enrolled(city)
    with pytest.raises(FactorWrong):
        await show(city, await begin(city), typed)


async def test_full_width_digits_and_spaces_are_forgiven(city: Database, officer: UUID, clock: SetClock) -> None:
    secret, _ = await enrolled(city)
    clock.advance(timedelta(minutes=1))
    wide = now(city, secret).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    await show(city, await begin(city), f"{wide[:3]}　{wide[3:]}")


async def test_an_attempt_is_over_after_ten_minutes_and_for_other_apis(
    city: Database, officer: UUID, clock: SetClock
) -> None:
    secret, _ = await enrolled(city)
    clock.advance(timedelta(minutes=1))
    asked = await begin(city)
    other = FactorGuess(AccountKind.MERCHANT, asked.attempt_id, now(city, secret), KEY, opening=BY_BEARER)
    for guess in (other, replace(other, kind=AccountKind.CITY, attempt_id=uuid4())):
        with pytest.raises(AttemptExpired):
            await prove_factor(city, guess)
    clock.advance(second_factor.LIFETIME)
    with pytest.raises(AttemptExpired):
        await show(city, asked, now(city, secret))


@pytest.mark.parametrize("what", ["password", "account"])
async def test_an_attempt_ends_with_what_it_began_with(
    city: Database, officer: UUID, clock: SetClock, what: str
) -> None:
    secret, _ = await enrolled(city)
    clock.advance(timedelta(minutes=1))
    asked = await begin(city)
    if what == "password":
        new = await try_password(city, NewPassword(officer, None, PASSWORD, NEW, CHEAPEST))
        await city.transact(change_password, new)
    else:
        for status in (AccountStatus.DISABLED, AccountStatus.ACTIVE):
            await city.transact(set_account_status, SetAccountStatus(None, officer, status, "left"))
    with pytest.raises(AttemptExpired):
        await show(city, asked, now(city, secret))


async def test_a_second_enrolment_takes_the_place_of_none(city: Database, officer: UUID) -> None:
    """Two attempts that enrol at once: the second code finds an account that has its factor."""
    one, two = await begin(city), await begin(city)
    made = [
        b32decode((await city.transact(enrol, Enrol(AccountKind.CITY, each.attempt_id, KEY))).secret)
        for each in (one, two)
    ]
    await show(city, one, now(city, made[0]))
    with pytest.raises(FactorWrong):
        await show(city, two, now(city, made[1]))
    with pytest.raises(FactorEnrolled):
        await city.transact(enrol, Enrol(AccountKind.CITY, two.attempt_id, KEY))


async def test_five_wrong_codes_an_hour_whatever_the_attempt(city: Database, officer: UUID, clock: SetClock) -> None:
    secret, first = await enrolled(city)
    clock.advance(timedelta(minutes=1))
    for _ in range(second_factor.TRIES):
        with pytest.raises(FactorWrong):
            await show(city, await begin(city), wrong(city, secret))
    with pytest.raises(FactorThrottled) as refused:
        await show(city, await begin(city), now(city, secret))
    assert 0 < refused.value.params["retry_after_seconds"] <= 3_600
    here_before = read_token(first.session.refresh_token)
    await show(city, await begin(city), now(city, secret), earlier=here_before)
    clock.advance(second_factor.WINDOW)
    await show(city, await begin(city), now(city, secret))


async def test_a_reset_ends_the_sessions_and_the_next_sign_in_enrols_anew(city: Database, officer: UUID) -> None:
    _, first = await enrolled(city)
    other = UUID(int=7)
    with pytest.raises(Forbidden):
        await city.transact(reset_factor, ResetFactor(officer, officer, "my phone is gone"))
    waiting = await begin(city)
    done = await city.transact(reset_factor, ResetFactor(other, officer, "known by face"))
    assert done.sessions_ended == 1
    with pytest.raises(Missing):
        await city.transact(reset_factor, ResetFactor(other, officer, "again"))
    with pytest.raises(AttemptExpired):
        await show(city, waiting, first.recovery_codes[0])
    asked = await begin(city)
    assert asked.ways == ()
    with pytest.raises(FactorNotEnrolled):
        await show(city, asked, first.recovery_codes[0])
