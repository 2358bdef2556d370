"""A resident's sign-in: five guesses whoever guesses, one use, one account a phone."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.identity import codes
from services.identity.codes import CodeExhausted, CodeExpired, CodeMalformed, CodeWrong
from services.identity.people import AccountDisabled, AccountStatus
from services.identity.read import account, persons
from services.identity.request_code import CodeRequested, RequestCode, request_code
from services.identity.sign_in import CodeGuess, ProvenPhone, SignedIn, prove_phone, sign_in
from services.identity.staff import SetAccountStatus, set_account_status
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Busy

KEY = bytes(range(32))


async def ask(city: Database, phone: str = "090-1234-5678") -> CodeRequested:
    return await city.transact(request_code, RequestCode(phone, KEY))


async def enter(city: Database, asked: CodeRequested) -> SignedIn:
    proven = await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    return await city.transact(sign_in, proven)


def wrong(asked: CodeRequested) -> str:
    return f"{(int(asked.code) + 1) % 1_000_000:06d}"


async def test_the_first_sign_in_opens_the_account_and_its_person(city: Database, clock: SetClock) -> None:
    first = await enter(city, await ask(city))
    assert first.first_time
    assert len(first.person_ids) == 1
    clock.advance(timedelta(days=1))
    again = await enter(city, await ask(city, "+81-90-1234-5678"))
    assert again == SignedIn(first.account_id, first.person_ids, first_time=False)
    async with city.begin() as tx:
        found = await account(tx, first.account_id)
        assert await persons(tx, first.account_id) == first.person_ids
    assert (found.kind, found.phone, found.roles) == ("resident", "+819012345678", ("resident",))


async def test_the_code_is_read_as_people_type_it(city: Database) -> None:
    asked = await ask(city)
    spaced = f" {asked.code[:3]} {asked.code[3:]}".translate({0x30 + n: 0xFF10 + n for n in range(10)})
    assert (await prove_phone(city, CodeGuess(asked.attempt_id, spaced, KEY))).phone == asked.phone


async def test_a_wrong_code_costs_a_try_and_a_typing_slip_does_not(city: Database) -> None:
    asked = await ask(city)
    with pytest.raises(CodeMalformed):
        await prove_phone(city, CodeGuess(asked.attempt_id, "12345", KEY))
    for left in (4, 3, 2, 1):
        with pytest.raises(CodeWrong) as refused:
            await prove_phone(city, CodeGuess(asked.attempt_id, wrong(asked), KEY))
        assert refused.value.params == {"tries_left": left}
    assert (await enter(city, asked)).first_time


async def test_after_five_wrong_ones_the_right_one_comes_too_late(city: Database) -> None:
    asked = await ask(city)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            await prove_phone(city, CodeGuess(asked.attempt_id, wrong(asked), KEY))
    with pytest.raises(CodeExhausted):
        await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))


async def test_a_code_lives_five_minutes(city: Database, clock: SetClock) -> None:
    sent_at = clock.now()
    asked = await ask(city)
    assert asked.expires_at == sent_at + timedelta(minutes=5)
    clock.set(asked.expires_at - timedelta(milliseconds=1))
    proven = await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    clock.set(asked.expires_at)
    with pytest.raises(CodeExpired):
        await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    with pytest.raises(CodeExpired):
        await city.transact(sign_in, proven)


async def test_a_code_works_once(city: Database) -> None:
    asked = await ask(city)
    await enter(city, asked)
    with pytest.raises(CodeExpired):
        await enter(city, asked)


async def test_a_proof_works_once_even_in_many_hands(city: Database) -> None:
    asked = await ask(city)
    proven = await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    answers = await asyncio.gather(*(city.transact(sign_in, proven) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    assert sum(isinstance(answer, CodeExpired) for answer in answers) == 19


async def test_a_code_belongs_to_its_attempt(city: Database) -> None:
    mine, yours = await ask(city), await ask(city, "080-1234-5678")
    if mine.code == yours.code:
        pytest.fail("choose another seed")
    with pytest.raises(CodeWrong):
        await prove_phone(city, CodeGuess(yours.attempt_id, mine.code, KEY))
    with pytest.raises(CodeExpired):
        await prove_phone(city, CodeGuess(UUID(int=1), mine.code, KEY))
    with pytest.raises(CodeExpired):
        await city.transact(sign_in, ProvenPhone(mine.attempt_id, "+818012345678"))


async def test_a_new_code_leaves_the_earlier_one_alone(city: Database, clock: SetClock) -> None:
    """Otherwise anybody who knows a number could keep its owner out by asking for codes."""
    first = await ask(city)
    clock.advance(timedelta(seconds=30))
    await ask(city)
    assert (await enter(city, first)).first_time


async def test_what_fails_after_the_proof_leaves_nothing_behind(city: Database) -> None:
    """The wallet is opened in the same transaction; without it there is no account either."""
    asked = await ask(city)
    proven = await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))

    async def without_a_wallet(tx: Tx, given: ProvenPhone) -> SignedIn:
        await sign_in(tx, given)
        raise RuntimeError("no wallet")

    with pytest.raises(RuntimeError):
        await city.transact(without_a_wallet, proven)
    async with city.begin() as tx:
        for table in ("account", "person", "account_acts_for"):
            assert (await tx.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    assert (await city.transact(sign_in, proven)).first_time


async def test_two_first_sign_ins_at_once_open_one_account(city: Database, clock: SetClock) -> None:
    asked = []
    for _ in range(5):
        asked.append(await ask(city))
        clock.advance(timedelta(seconds=30))
    entered = await asyncio.gather(*(enter(city, each) for each in asked))
    assert len({each.account_id for each in entered}) == 1
    assert len({each.person_ids for each in entered}) == 1
    assert sum(each.first_time for each in entered) == 1


async def test_a_disabled_account_is_told_so_after_its_proof_and_acts_for_nobody(
    city: Database, clock: SetClock
) -> None:
    entered = await enter(city, await ask(city))
    disabled = SetAccountStatus(None, entered.account_id, AccountStatus.DISABLED, "asked for by its owner")
    await city.transact(set_account_status, disabled)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(AccountDisabled):
        await enter(city, await ask(city))
    async with city.begin() as tx:
        assert await persons(tx, entered.account_id) == ()


async def naive_guess(tx: Tx, guess: tuple[UUID, str]) -> bool:
    """The control: look, compare, then write the count that was read."""
    query = text("SELECT tries_left FROM sign_in_code WHERE id = :id")
    left = (await tx.connection.execute(query, {"id": guess[0]})).scalar_one()
    if left == 0:
        return False
    await asyncio.sleep(0.01)
    write = text("UPDATE sign_in_code SET tries_left = :left WHERE id = :id")
    await tx.connection.execute(write, {"id": guess[0], "left": left - 1})
    return True


async def test_of_a_hundred_guesses_at_once_five_are_compared(city: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, control = await ask(city), await ask(city, "080-1234-5678")
    naive = await asyncio.gather(
        *(city.transact(naive_guess, (control.attempt_id, "000000")) for _ in range(100)), return_exceptions=True
    )
    assert naive.count(True) > 5, "without the reservation more than five are compared"
    assert all(isinstance(each, bool | Busy) for each in naive)  # a slow machine is busy

    compared = []

    def counting(key: bytes, attempt_id: UUID, code: str, stored: bytes) -> bool:
        compared.append(code)
        return codes.code_mac(key, attempt_id, code) == stored

    monkeypatch.setattr(codes, "code_fits", counting)
    guesses = [f"{number:06d}" for number in range(100) if f"{number:06d}" != asked.code]
    answers = await asyncio.gather(
        *(prove_phone(city, CodeGuess(asked.attempt_id, guess, KEY)) for guess in guesses), return_exceptions=True
    )
    assert len(compared) == 5
    found = [answer for answer in answers if isinstance(answer, CodeWrong)]
    assert sorted(answer.params["tries_left"] for answer in found) == [0, 1, 2, 3, 4]
    late = [answer for answer in answers if isinstance(answer, CodeExhausted | Busy)]  # a slow machine is busy
    assert len(late) == len(guesses) - 5


async def test_a_guess_is_paid_for_even_when_the_comparison_breaks(
    city: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await ask(city)

    def breaking(*_: object) -> bool:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(codes, "code_fits", breaking)
        with pytest.raises(MemoryError):
            await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    with pytest.raises(CodeWrong) as refused:
        await prove_phone(city, CodeGuess(asked.attempt_id, wrong(asked), KEY))
    assert refused.value.params == {"tries_left": 3}
