"""The register is handed over by two people, counts as a whole, and says what it would change."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.kit.changes import ApproveChange, approve
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.four_eyes import ChangeDiffers, SecondOfficerNeeded
from services.residency.hand_over import (
    ListDifferences,
    LoadDistricts,
    carry_out_register,
    list_differences,
    load_districts,
)
from services.residency.lists import ResidentListInvalid
from services.residency.residency import ResidencyNotMatched
from services.residency.write_letters import WriteLetters, write_letters
from tests.residency.conftest import HEADER, KEY, REGISTER, Office, hand_over, person, propose, prove


async def test_a_list_counts_from_its_approval_and_not_before(city: Database, office: Office) -> None:
    proposed = await propose(city, office, REGISTER)
    assert proposed.differences == ListDifferences(lines=3, added=3, changed=0, left_out=0)
    written = await city.transact(write_letters, WriteLetters(office.officer, KEY))
    assert written.references == ()
    with pytest.raises(SecondOfficerNeeded):
        await city.transact(approve, ApproveChange(proposed.change_id, proposed.fingerprint, office.officer))


async def test_a_list_is_the_whole_register(city: Database, clock: SetClock, registered: Office) -> None:
    clock.advance(timedelta(days=1))
    moved = (
        HEADER
        + "A001,渡邊 花子,ワタナベ ハナコ,1950-04-01,254-0811\r\n"
        + "A004,林 一,ハヤシ ハジメ,1970-01-01,2540043\n"
    )
    proposed = await hand_over(city, registered, moved)
    assert proposed.differences == ListDifferences(lines=2, added=1, changed=1, left_out=2)
    assert (await prove(city, await person(city, 1))).proven
    with pytest.raises(ResidencyNotMatched):
        await prove(city, await person(city, 2), "A002", name="佐藤 太郎", born_on=date(1985, 12, 31))
    written = await city.transact(write_letters, WriteLetters(registered.officer, KEY))
    assert written.references == ("A004",), "who had a letter keeps it"


async def test_a_list_with_a_problem_leaves_nothing_behind(city: Database, office: Office) -> None:
    with pytest.raises(ResidentListInvalid):
        await propose(city, office, (REGISTER + "x\n"))
    async with city.begin() as tx:
        for table in ("registry_list", "registry_entry", "proposed_change"):
            assert (await tx.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def test_an_approval_is_of_exactly_the_list_that_was_proposed(city: Database, office: Office) -> None:
    proposed = await propose(city, office, REGISTER)
    other = await propose(city, office, (HEADER + "B1,林,ハヤシ,19700101,2540043"))
    with pytest.raises(ChangeDiffers):
        await city.transact(approve, ApproveChange(proposed.change_id, other.fingerprint, office.approver))

    async def exchanged(tx: Tx, change_id: UUID) -> None:
        change = await approve(tx, ApproveChange(change_id, proposed.fingerprint, office.approver))
        row = text("SELECT subject_id FROM proposed_change WHERE id = :id")
        subject = (await tx.connection.execute(row, {"id": other.change_id})).scalar_one()
        await carry_out_register(tx, type(change)(**(vars(change) | {"subject_id": subject})))

    with pytest.raises(ChangeDiffers):
        await city.transact(exchanged, proposed.change_id)


async def test_districts_are_loaded_and_drawn_anew(city: Database, office: Office) -> None:
    head = "postal_code,district\n"
    loaded = await city.transact(load_districts, LoadDistricts(None, (head + "2540043,中央\n2540811,港\n").encode()))
    assert (loaded.postal_codes, loaded.districts) == (2, 2)
    await city.transact(load_districts, LoadDistricts(office.officer, (head + "2540811,海岸\n").encode()))
    async with city.begin() as tx:
        rows = await tx.connection.execute(text("SELECT postal_code, district FROM postal_district ORDER BY 1"))
        assert [tuple(row) for row in rows] == [("2540043", "中央"), ("2540811", "海岸")]


async def test_differences_are_those_of_now(city: Database, registered: Office) -> None:
    proposed = await propose(city, registered, REGISTER)
    async with city.begin() as tx:
        query = text("SELECT subject_id FROM proposed_change WHERE id = :id")
        list_id = (await tx.connection.execute(query, {"id": proposed.change_id})).scalar_one()
        assert await list_differences(tx, list_id) == ListDifferences(lines=3, added=0, changed=0, left_out=0)
