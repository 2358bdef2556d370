"""Who buys: proven residents where the programme says so, and nobody by an e-mail address alone."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.residency.record import record
from services.residency.residency import Details, How, Proof, ResidencyUnproven
from services.wallets.buy import Buy, reserve
from tests.town import CODE, OFFICER, Resident, Town, town_terms


async def prove(town: Town, who: Resident) -> None:
    proof = Proof(who.person_id, OFFICER, How.COUNTER, Details("星野 光", "ホシノ ヒカル", date(1960, 7, 7), "2540045"))
    assert (await town.do(record, proof)).proven


async def test_where_residents_only_buy_an_unproven_person_does_not(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(replace(town_terms(), residents_only=True))
    who = await town.resident()
    with pytest.raises(ResidencyUnproven):
        await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))
    await prove(town, who)
    assert (await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))).units == 1


async def test_a_phone_buys_where_the_programme_asks_nothing(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who = await town.resident()
    assert (await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))).units == 1


async def test_an_email_address_alone_holds_grants_and_buys_nothing(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    town = Town(engine)
    await town.programme()
    who = await town.resident()
    async with migrator_engine.begin() as connection:
        statement = text("UPDATE account SET phone = NULL, email = 'somebody@example.jp' WHERE id = :id")
        await connection.execute(statement, {"id": who.account_id})
    await town.grant(who, 500)
    with pytest.raises(ResidencyUnproven):
        await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))
    await prove(town, who)
    assert (await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))).units == 1
