"""The letter's code proves for the name in the register: in any spelling of it, and for none that looks like it."""

import unicodedata
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.changes import ApproveChange, approve
from services.kit.db import Tx
from services.residency.hand_over import carry_out_register, propose_register, register_list
from services.residency.letter import letter_code
from services.residency.write_letters import WriteLetters, write_letters
from tests.http_town import HttpTown, done, problem, town_keys
from tests.town import APPROVER, OFFICER, Resident

BORN = "1960-07-07"
REGISTER = (
    "reference,name,kana,birth_date,postal_code\n"
    f"C001,渡邊 がく太郎,ワタナベ ガクタロウ,{BORN},254-0045\n"
    f"C002,佐藤 大郎,サトウ ダイロウ,{BORN},254-0045\n"
)
SPELLINGS = {
    "as it is printed": "渡邊 がく太郎",
    "without the space": "渡邊がく太郎",
    "the wide space": "渡邊\u3000がく太郎",
    "another form of the letter": "渡邉 がく太郎",
    "today's form of the letter": "渡辺 がく太郎",
    "a variation of the letter": "渡邊\U000e0100 がく太郎",
    "marks that combine": unicodedata.normalize("NFD", "渡邊 がく太郎"),
    "a mark after a space": "渡邊 か\u3000゛く太郎",
}
LOOK_ALIKES = {
    "one dot less": "渡邊 がく大郎",
    "one dot more": "渡邊 がく犬郎",
    "no mark": "渡邊 かく太郎",
    "the other mark": "渡邊 か\u309aく太郎",
    "the mark twice": "渡邊 か\u3099\u3099く太郎",
    "a mark on top of another letter": "渡邊 がく\u0301太郎",
    "a letter of its own": "渡部 がく太郎",
    "a radical": "渡邊 がく⼤郎",
    "who has a letter of another code": "佐藤 大郎",
    "nothing that is seen": "渡邊 がく\u200b太郎",
}


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    """A register counts, and everybody in it had a letter."""
    made = HttpTown(engine)

    async def hand_over(tx: Tx, _: None) -> None:
        proposed = await propose_register(tx, register_list(OFFICER, REGISTER.encode(), tx.now))
        await carry_out_register(
            tx, await approve(tx, ApproveChange(proposed.change_id, proposed.fingerprint, APPROVER))
        )
        await write_letters(tx, WriteLetters(OFFICER, town_keys().code_key))

    await made.do(hand_over, None)
    return made


async def prove(town: HttpTown, who: Resident, name: str) -> Any:
    body = {"name": name, "birth_date": BORN, "code": letter_code(town_keys().code_key, "C001", 1)}
    return await town.as_resident(who).post(f"/wallets/{who.wallet.id}/residency/letter", json=body)


async def proven(town: HttpTown) -> int:
    async with town.database.begin() as tx:
        return int((await tx.connection.execute(text("SELECT count(*) FROM residency"))).scalar_one())


async def test_a_name_that_looks_like_the_registers_proves_nothing(town: HttpTown, subtests: pytest.Subtests) -> None:
    """With the right code and birth date; and what is wrong about the name is not told."""
    who, answers = await town.resident(), set()
    for why, name in LOOK_ALIKES.items():
        with subtests.test(why):
            answer = await prove(town, who, name)
            problem(answer, 422, "residency_not_matched")
            answers.add((answer.json()["detail"], str(answer.json()["params"])))
            town.wait(hours=25)
    assert len(answers) == 1
    assert await proven(town) == 0


async def test_every_spelling_of_a_name_proves_one_person(town: HttpTown, subtests: pytest.Subtests) -> None:
    """Whoever has proven by one of them proves by the others; on another account none of them is a second person."""
    who, other = await town.resident(), await town.resident()
    for why, name in SPELLINGS.items():
        with subtests.test(why):
            assert done(await prove(town, who, name))["status"] == "proven"
            assert done(await prove(town, other, name))["status"] != "proven"
            town.wait(hours=25)
    assert await proven(town) == 1
