"""Money that arrives settles the receivable of whoever sent it, and nothing else."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import ProgrammeUnknown
from services.ledger.chart import Account
from services.payments.payment import AmountInvalid
from services.settlement.money_in import MoneyIn, MoneySource, record_money_in
from tests.settlement.office import Office, count_rows
from tests.town import CODE, OFFICER, Town


async def test_each_source_settles_its_own_receivable(engine: AsyncEngine) -> None:
    town = Town(engine)
    programme_id = await town.programme()
    who, office = await town.resident(), Office(town)
    await town.buy(who)
    await town.grant(who, 500)
    settles = {
        MoneySource.CHANNEL: (10_000, Account.CASH_RECEIVABLE),
        MoneySource.FUNDER: (2_999, Account.FUNDER_RECEIVABLE),
        MoneySource.GRANT_BUDGET: (600, Account.GRANT_RECEIVABLE),
    }
    for source, (yen, _) in settles.items():
        recorded = await town.do(record_money_in, MoneyIn(CODE, source, yen, OFFICER))
        assert (recorded.programme_id, recorded.source, recorded.amount_yen) == (programme_id, source, yen)
    assert [await office.owed(account) for _, account in settles.values()] == [0, -1, 100]
    assert await office.owed(Account.BANK) == -13_599
    await town.must_prove()


@pytest.mark.parametrize("amount", [0, -1, True, 1.5, "10", 10**10, 10**19])
async def test_an_amount_is_a_whole_number_of_yen(engine: AsyncEngine, amount: Any) -> None:
    town = Town(engine)
    await town.programme()
    before = await count_rows(engine)
    with pytest.raises(AmountInvalid):
        await town.do(record_money_in, MoneyIn(CODE, MoneySource.CHANNEL, amount, OFFICER))
    assert await count_rows(engine) == before


async def test_money_comes_in_for_a_programme(engine: AsyncEngine) -> None:
    with pytest.raises(ProgrammeUnknown):
        await Town(engine).do(record_money_in, MoneyIn("moonlight", MoneySource.CHANNEL, 1, OFFICER))
