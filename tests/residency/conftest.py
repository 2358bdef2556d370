"""A city with a register of a few residents, its officers, and people who sign in by phone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import CodeGuess, prove_phone, sign_in
from services.identity.staff import OpenCityAccount, open_city_account
from services.kit.changes import ApproveChange, approve
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.residency.hand_over import ProposedList, carry_out_register, propose_register, register_list
from services.residency.letter import letter_code
from services.residency.prove import LetterGuess, prove_by_letter
from services.residency.residency import Outcome
from services.residency.write_letters import WriteLetters, write_letters

KEY = bytes(range(32))
HEADER = "reference,name,kana,birth_date,postal_code\r\n"
REGISTER = (
    HEADER
    + "A001,渡邊 花子,ワタナベ ハナコ,1950-04-01,254-0043\r\n"
    + "A002,佐藤 太郎,サトウ タロウ,1985-12-31,254-0811\r\n"
    + "A003,佐藤 大郎,サトウ ダイロウ,1985-12-31,254-0811\r\n"
)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC))


@pytest.fixture
def city(engine: AsyncEngine, clock: SetClock) -> Database:
    return Database(engine, clock, SeededEntropy(1))


@dataclass(frozen=True)
class Person:
    account_id: UUID
    person_id: UUID


@dataclass(frozen=True)
class Office:
    officer: UUID
    approver: UUID


@pytest.fixture
async def office(city: Database) -> Office:
    opened = [
        await city.transact(
            open_city_account, OpenCityAccount(None, f"{role}@city.example", role.value, "no hash", (role,))
        )
        for role in (Role.OFFICER, Role.APPROVER)
    ]
    return Office(opened[0].account_id, opened[1].account_id)


async def propose(city: Database, office: Office, content: str) -> ProposedList:
    async with city.begin() as tx:
        asked = register_list(office.officer, content.encode(), tx.now)
    return await city.transact(propose_register, asked)


async def hand_over(city: Database, office: Office, content: str) -> ProposedList:
    """Bring a list and approve it."""
    proposed = await propose(city, office, content)

    async def say_yes(tx: Tx, change_id: UUID) -> None:
        change = await approve(tx, ApproveChange(change_id, proposed.fingerprint, office.approver))
        await carry_out_register(tx, change)

    await city.transact(say_yes, proposed.change_id)
    return proposed


@pytest.fixture
async def registered(city: Database, office: Office) -> Office:
    """The office, once the register counts and everybody in it had a letter."""
    await hand_over(city, office, REGISTER)
    await city.transact(write_letters, WriteLetters(office.officer, KEY))
    return office


async def person(city: Database, turn: int) -> Person:
    """Somebody who signed in with a phone of their own."""
    asked = await city.transact(request_code, RequestCode(f"090-1234-{turn:04}", KEY))
    proven = await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY))
    entered = await city.transact(sign_in, proven)
    return Person(entered.account_id, entered.person_ids[0])


async def prove(
    city: Database,
    who: Person,
    reference: str = "A001",
    *,
    name: str = "渡邊 花子",
    born_on: date = date(1950, 4, 1),
    issue: int = 1,
) -> Outcome:
    code = letter_code(KEY, reference, issue)
    return await prove_by_letter(city, LetterGuess(who.account_id, who.person_id, name, born_on, code, KEY))
