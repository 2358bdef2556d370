"""The office asks for proofs and reads the kept ones."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.prover import Prover
from services.identity.people import Role
from tests.http_town import HttpTown, done, problem
from tests.town import NOON


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme()
    return made


async def test_a_proof_is_asked_for_made_and_read(town: HttpTown) -> None:
    officer, auditor = await town.as_staff(Role.OFFICER), await town.as_staff(Role.AUDITOR)
    assert done(await officer.get("/proofs")) == {"proofs": [], "next": None, "asked_at": None}
    asked = done(await officer.command("/proofs"), 202)
    assert done(await auditor.get("/proofs")) == {"proofs": [], "next": None, "asked_at": asked["asked_at"]}
    town.wait(seconds=10)
    assert await Prover(town.database).prove() == 1
    listed = done(await auditor.get("/proofs"))
    [line] = listed["proofs"]
    assert listed["asked_at"] is None
    assert line["began_at"] == "2026-04-06T03:00:10Z"
    assert (line["clean"], line["broken"]) == (True, [])
    shown = done(await officer.get(f"/proofs/{line['id']}"))
    assert len(shown["checks"]) == line["laws"]
    now = done(await officer.get("/proof"))["checks"]
    assert [check["name"] for check in shown["checks"]] == [check["name"] for check in now]


async def test_asking_again_under_the_same_id_is_one_wish(town: HttpTown) -> None:
    officer, key = await town.as_staff(Role.OFFICER), town.new_key()
    first = done(await officer.command("/proofs", key=key), 202)
    town.wait(minutes=5)
    assert done(await officer.command("/proofs", key=key), 202) == first


async def test_while_a_wish_waits_whoever_asks_again_has_it(town: HttpTown) -> None:
    officer, auditor = await town.as_staff(Role.OFFICER), await town.as_staff(Role.AUDITOR)
    key = town.new_key()
    first = done(await officer.command("/proofs", key=key), 202)
    town.wait(minutes=1)
    for who in (officer, officer, auditor):
        assert done(await who.command("/proofs"), 202) == first
    entries = done(await auditor.get("/audit", params={"action": "books.proof_asked"}))["entries"]
    assert [each["id"] for each in entries] == [first["id"]]
    assert await Prover(town.database).prove() == 1
    town.wait(minutes=1)
    second = done(await auditor.command("/proofs"), 202)
    assert second["id"] != first["id"]
    assert done(await officer.command("/proofs"), 202) == second
    assert done(await officer.command("/proofs", key=key), 202) == first
    assert done(await officer.get("/proofs"))["asked_at"] == second["asked_at"]


async def test_proofs_come_in_pages_newest_first(town: HttpTown) -> None:
    officer, prover = await town.as_staff(Role.OFFICER), Prover(town.database)
    for day in range(3):
        town.go_to(NOON.replace(day=7 + day))
        assert await prover.prove() == 1
    officer = await town.as_staff(Role.OFFICER)
    seen, after = [], None
    for _ in range(3):
        page = done(await officer.get("/proofs", params={"limit": 1} | ({"after": after} if after else {})))
        seen += [each["began_at"][:10] for each in page["proofs"]]
        after = page["next"]
    assert (seen, after) == (["2026-04-09", "2026-04-08", "2026-04-07"], None)


async def test_a_broken_law_is_shown_with_something_that_breaks_it(
    town: HttpTown, migrator_engine: AsyncEngine
) -> None:
    async with migrator_engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE programme_stock SET sold_units = 7")
    await Prover(town.database).prove()
    [line] = done(await (await town.as_staff(Role.AUDITOR)).get("/proofs"))["proofs"]
    [law] = line["broken"]
    assert (line["clean"], law["name"], law["ok"]) == (False, "stock_counters", False)
    assert law["example"]


async def test_an_entry_of_the_log_that_is_no_proof_is_not_one(town: HttpTown) -> None:
    officer = await town.as_staff(Role.OFFICER)
    done(await officer.command("/proofs"), 202)
    entries = done(await (await town.as_staff(Role.AUDITOR)).get("/audit", params={"action": "books.proof_asked"}))
    problem(await officer.get(f"/proofs/{entries['entries'][0]['id']}"), 404, "not_found")
    problem(await officer.get(f"/proofs/{uuid4()}"), 404, "not_found")
