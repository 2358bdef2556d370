"""Proving where one lives: the letter, the counter; guessing is paid for, and tells nothing."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.kit.numbers import NumberMistyped
from services.residency import prove as module
from services.residency.letter import letter_code, letter_fits, letter_mac
from services.residency.prove import AtTheCounter, LetterGuess, prove_at_counter, prove_by_letter
from services.residency.read import residency
from services.residency.residency import (
    How,
    Outcome,
    ResidencyDetailsInvalid,
    ResidencyNotMatched,
    ResidencyOfOther,
    ResidencyThrottled,
)
from services.residency.write_letters import PrintLetters, WriteLetters, print_letters, write_letters
from tests.residency.conftest import KEY, Office, Person, person, prove


async def test_the_letters_code_proves_and_the_register_says_the_details(city: Database, registered: Office) -> None:
    who = await person(city, 1)
    assert await prove(city, who, name="わたなべ　はなこ") == Outcome(proven=True)
    found = await city.transact(residency, who.person_id)
    assert found is not None
    assert (found.how, found.details.name, found.details.postal_code) == (How.REGISTRY, "渡邊 花子", "2540043")
    assert await prove(city, who, name="渡辺花子") == Outcome(proven=True), "who proves again has proven"


@pytest.mark.parametrize(
    ("name", "born_on", "reference"),
    [
        ("鈴木 一", date(1950, 4, 1), "A001"),
        ("渡邊 花子", date(1950, 4, 2), "A001"),
        ("渡邊 花子", date(1950, 4, 1), "A002"),
        ("佐藤 大郎", date(1985, 12, 31), "A002"),
    ],
)
async def test_whatever_is_wrong_the_answer_is_one(
    city: Database, registered: Office, name: str, born_on: date, reference: str
) -> None:
    who = await person(city, 1)
    with pytest.raises(ResidencyNotMatched) as refused:
        await prove(city, who, reference, name=name, born_on=born_on)
    assert refused.value.params == {}
    assert await city.transact(residency, who.person_id) is None


async def test_an_unknown_name_costs_a_comparison_as_a_known_one_does(
    city: Database, registered: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def counting(key: bytes, reference: str, code: str, stored: bytes) -> bool:
        compared.append(reference)
        return letter_fits(key, reference, code, stored)

    monkeypatch.setattr(module, "letter_fits", counting)
    for name in ("鈴木 一", "渡邊 花子"):
        with pytest.raises(ResidencyNotMatched):
            await prove(city, await person(city, len(compared)), "A002", name=name)
    assert compared == ["-", "A001"]


async def test_a_slip_of_the_hand_costs_no_try(city: Database, registered: Office) -> None:
    who = await person(city, 1)
    code = letter_code(KEY, "A001", 1)
    slip = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(20):
        with pytest.raises(NumberMistyped):
            await prove_by_letter(
                city, LetterGuess(who.account_id, who.person_id, "渡邊 花子", date(1950, 4, 1), slip, KEY)
            )
    assert (await prove(city, who)).proven


async def test_after_five_tries_an_account_waits_until_the_day_is_over(
    city: Database, clock: SetClock, registered: Office
) -> None:
    who = await person(city, 1)
    for _ in range(5):
        with pytest.raises(ResidencyNotMatched):
            await prove(city, who, "A002")
    clock.advance(timedelta(hours=1))
    with pytest.raises(ResidencyThrottled) as refused:
        await prove(city, who)
    assert refused.value.params == {"retry_after_seconds": 23 * 3600}
    clock.advance(timedelta(hours=23))
    assert (await prove(city, who)).proven


async def naive_try(tx: Tx, who: Person) -> bool:
    """The control: read the count, then write it."""
    query = text("SELECT tries FROM residency_tries WHERE account_id = :id")
    tries = (await tx.connection.execute(query, {"id": who.account_id})).scalar_one()
    await asyncio.sleep(0.01)
    if tries >= 5:
        return False
    write = text("UPDATE residency_tries SET tries = :tries WHERE account_id = :id")
    await tx.connection.execute(write, {"tries": tries + 1, "id": who.account_id})
    return True


async def test_of_a_hundred_tries_at_once_five_are_compared(
    city: Database, registered: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, control = await person(city, 1), await person(city, 2)
    with pytest.raises(ResidencyNotMatched):
        await prove(city, control, "A002")
    assert sum(await asyncio.gather(*(city.transact(naive_try, control) for _ in range(40)))) > 5

    compared = []

    def counting(_key: bytes, _reference: str, code: str, _stored: bytes) -> bool:
        compared.append(code)
        return False

    monkeypatch.setattr(module, "letter_fits", counting)
    await asyncio.gather(*(prove(city, who) for _ in range(100)), return_exceptions=True)
    assert len(compared) == 5


async def test_strangers_who_guess_at_an_entry_do_not_lock_its_resident_out(
    city: Database, clock: SetClock, registered: Office
) -> None:
    for turn in range(4):
        stranger = await person(city, turn)
        for _ in range(5):
            with pytest.raises(ResidencyNotMatched):
                await prove(city, stranger, "A002")
    besieger, victim = await person(city, 10), await person(city, 11)
    with pytest.raises(ResidencyNotMatched):
        await prove(city, besieger, "A002")
    with pytest.raises(ResidencyNotMatched):
        await prove(city, besieger, "A001")  # the right code, but the account's second try at a besieged entry
    assert (await prove(city, victim)).proven, "an account's first try is always heard"


async def test_an_account_proves_only_for_whom_it_acts(city: Database, registered: Office) -> None:
    mine, other = await person(city, 1), await person(city, 2)
    with pytest.raises(Missing):
        await prove(city, Person(mine.account_id, other.person_id))
    assert await city.transact(residency, other.person_id) is None


async def test_a_new_letter_makes_the_earlier_one_worthless(city: Database, registered: Office) -> None:
    await city.transact(write_letters, WriteLetters(registered.officer, KEY, ("A001",)))
    with pytest.raises(ResidencyNotMatched):
        await prove(city, await person(city, 1), issue=1)
    assert (await prove(city, await person(city, 2), issue=2)).proven


async def test_no_code_is_stored_and_the_printers_file_is_made_again_byte_for_byte(
    city: Database, registered: Office
) -> None:
    asked = PrintLetters(registered.officer, "for the printer", ("A002", "A001"), KEY)
    first, again = await city.transact(print_letters, asked), await city.transact(print_letters, asked)
    assert first == again
    code = letter_code(KEY, "A001", 1)
    assert first.splitlines()[1].replace("-", "") == f"A001,{code}"
    async with city.begin() as tx:
        stored = (await tx.connection.execute(text("SELECT * FROM registry_letter ORDER BY reference"))).all()
    assert code not in str(stored)
    assert bytes(stored[0].mac) == letter_mac(KEY, "A001", code)


async def test_an_officer_at_the_counter_proves_what_they_saw(city: Database, registered: Office) -> None:
    who = await person(city, 1)
    seen = AtTheCounter(
        who.person_id, registered.officer, "鈴木 一", "すずき はじめ", date(1990, 1, 1), "254-0811", "driving licence"
    )
    assert (await city.transact(prove_at_counter, seen)).proven
    async with city.begin() as tx:
        query = text("SELECT detail FROM audit_entry WHERE action = 'residency.seen_at_counter' AND subject_id = :id")
        said = (await tx.connection.execute(query, {"id": who.person_id})).scalars().all()
    assert said == [{"evidence": "driving licence", "proven": True}]
    for wrong in ("name", "kana", "postal_code"):
        changed = AtTheCounter(**(vars(seen) | {wrong: "1234 5678 9012"}))
        with pytest.raises(ResidencyDetailsInvalid) as refused:
            await city.transact(prove_at_counter, changed)
        assert refused.value.params == {"field": wrong}


async def test_an_account_is_not_handed_on_to_somebody_else(city: Database, registered: Office) -> None:
    who = await person(city, 1)
    await prove(city, who)
    with pytest.raises(ResidencyOfOther):
        await prove(city, who, "A002", name="佐藤 太郎", born_on=date(1985, 12, 31))
