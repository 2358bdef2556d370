"""Asking for a code: what is stored, how often, and that nothing tells who has an account."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from services.identity.codes import CodeThrottled, wait_seconds
from services.identity.people import PhoneMalformed, phone_number
from services.identity.request_code import CodeRequested, RequestCode, request_code
from services.identity.sign_in import CodeGuess, prove_phone, sign_in
from services.kit.clock import SetClock
from services.kit.db import Database, Tx

KEY = bytes(range(32))
PHONE = "090-1234-5678"


async def ask(city: Database, phone: str = PHONE) -> CodeRequested:
    return await city.transact(request_code, RequestCode(phone, KEY))


async def test_the_code_is_stored_as_an_hmac_only(city: Database, clock: SetClock) -> None:
    asked = await ask(city)
    assert asked.phone == "+819012345678"
    assert asked.expires_at == clock.now() + timedelta(minutes=5)
    async with city.begin() as tx:
        row = (await tx.connection.execute(text("SELECT s::text AS whole, code_mac FROM sign_in_code s"))).one()
    assert len(row.code_mac) == 32
    assert asked.code not in row.whole
    assert asked.code not in repr(asked)
    assert "1234" not in repr(RequestCode(PHONE, KEY)) + repr(asked)


async def test_a_second_code_waits_half_a_minute(city: Database, clock: SetClock) -> None:
    first = await ask(city)
    clock.advance(timedelta(seconds=10))
    with pytest.raises(CodeThrottled) as refused:
        await ask(city, "+81 90 1234 5678")
    assert refused.value.params == {"retry_after_seconds": 20}
    clock.advance(timedelta(seconds=20))
    assert (await ask(city)).attempt_id != first.attempt_id


async def test_five_codes_an_hour_and_another_phone_is_not_held_up(city: Database, clock: SetClock) -> None:
    for _ in range(5):
        await ask(city)
        clock.advance(timedelta(seconds=30))
    with pytest.raises(CodeThrottled) as refused:
        await ask(city)
    assert refused.value.params == {"retry_after_seconds": 3600 - 150}
    await ask(city, "080-1234-5678")
    clock.advance(timedelta(seconds=3600 - 150))
    await ask(city)


async def test_a_bad_number_leaves_nothing_behind(city: Database) -> None:
    with pytest.raises(PhoneMalformed):
        await ask(city, "090")
    async with city.begin() as tx:
        assert (await tx.connection.execute(text("SELECT count(*) FROM sign_in_code"))).scalar_one() == 0


async def test_a_phone_with_an_account_and_one_without_are_answered_alike(city: Database, clock: SetClock) -> None:
    first = await ask(city)
    proven = await prove_phone(city, CodeGuess(first.attempt_id, first.code, KEY))
    await city.transact(sign_in, proven)
    clock.advance(timedelta(minutes=1))
    known, unknown = await ask(city), await ask(city, "080-1234-5678")
    assert known.expires_at == unknown.expires_at
    for phone in (PHONE, "080-1234-5678"):
        with pytest.raises(CodeThrottled) as refused:
            await ask(city, phone)
        assert refused.value.params == {"retry_after_seconds": 30}


async def unlocked(tx: Tx, given: tuple[str, asyncio.Barrier]) -> int:
    """The control: the same count and insert, without the lock."""
    phone, both = given
    sent = await tx.connection.execute(text("SELECT sent_at FROM sign_in_code WHERE phone = :p"), {"p": phone})
    wait = wait_seconds(list(sent.scalars()), tx.now)
    await both.wait()  # two have looked before either writes
    if wait == 0:
        await tx.connection.execute(
            text("INSERT INTO sign_in_code VALUES (:id, :p, '', :now, :now, 5, NULL)"),
            {"id": tx.new_id(), "p": phone, "now": tx.now},
        )
    return wait


async def test_of_forty_requests_at_once_one_is_the_first(city: Database) -> None:
    asked = (phone_number("070-1234-5678"), asyncio.Barrier(2))
    control = await asyncio.gather(*(city.transact(unlocked, asked) for _ in range(40)))
    assert control.count(0) > 1, "without the lock several are the first"

    answers = await asyncio.gather(*(ask(city) for _ in range(40)), return_exceptions=True)
    assert sum(isinstance(answer, CodeRequested) for answer in answers) == 1
    assert sum(isinstance(answer, CodeThrottled) for answer in answers) == 39


async def test_attempts_are_never_the_same(city: Database, clock: SetClock) -> None:
    asked = []
    for _ in range(5):
        asked.append(await ask(city))
        clock.advance(timedelta(seconds=30))
    assert len({each.code for each in asked}) > 1
    assert all(one.attempt_id < other.attempt_id for one, other in pairwise(asked))
