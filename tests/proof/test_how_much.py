"""An incremental proof looks up few lots' accounts, and asks of all lots where most were touched."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.proof.prove import prove
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from tests.town import CODE, OFFICER, Town

LOTS = 20


@pytest.mark.parametrize(("payers", "asked"), [(2, 2), (3, LOTS)])
async def test_all_lots_are_asked_of_when_more_than_an_eighth_were_touched(
    engine: AsyncEngine, payers: int, asked: int
) -> None:
    town = Town(engine)
    await town.programme()
    people, shop = [await town.resident() for _ in range(LOTS)], await town.shop()
    lines = tuple(GrantLine(line, who.wallet.number, 500) for line, who in enumerate(people, start=2))
    await town.do(grant, Grant(CODE, "common", "a gift", OFFICER, lines))  # in one transaction, long ago
    town.wait(hours=2)
    for who in people[:payers]:
        await town.pay_store(who, shop, 100)
    async with town.database.begin() as tx:
        proof = await prove(tx, town.clock.now() - timedelta(minutes=5))
    assert proof.clean
    assert {check.name: check.expected for check in proof.checks}["lots_paid"] == asked
