"""What commits after a close with an instant before its cut-off is told in the next; nothing is searched twice."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit import horizon
from services.kit.clock import end_of
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.payments.refund import Refund, refund
from tests.settlement.office import FIRST, SECOND, Office
from tests.town import Town

THIRD = date(2026, 5, 15)


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests live within the minute by which a close looks further back than it must."""
    monkeypatch.setattr(horizon, "CLOCK_MARGIN", horizon.CLOCK_MARGIN * 0)


async def known(engine: AsyncEngine) -> list[bool]:
    """Of each close, whether it can say since when everything is recorded that it did not see."""
    query = "SELECT late_since IS NOT NULL FROM settlement_close ORDER BY closing_date"
    async with engine.connect() as connection:
        return list((await connection.execute(text(query))).scalars())


async def test_a_payment_that_is_written_after_the_close_is_told_in_the_next_one(engine: AsyncEngine) -> None:
    town = Town(engine)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 1_000)
    async with town.database.begin() as slow:  # it has its instant, and has not written yet
        await office.close(FIRST)
        await pay_store(slow, PayStore(who.account_id, who.wallet.id, shop.code, 2_000))
    assert await known(engine) == [True]
    await town.pay_store(who, shop, 500)
    figures = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (figures.payments_count, figures.payments_yen) == (2, 2_500)
    await town.must_prove()


async def test_a_refund_that_is_written_after_the_close_is_told_in_the_next_one(engine: AsyncEngine) -> None:
    town = Town(engine)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay_store(who, shop, 3_000)
    async with town.database.begin() as slow:
        await office.close(FIRST)
        await refund(slow, Refund(shop.clerk_id, shop.id, receipt.payment_id, 700, "brought back"))
    assert await known(engine) == [True]
    figures = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (figures.payments_yen, figures.refunded_yen) == (0, 700)
    await town.must_prove()


async def test_a_payment_that_was_open_through_two_closes_is_told_in_the_third(engine: AsyncEngine) -> None:
    town = Town(engine)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    async with town.database.begin() as slow:
        await pay_store(slow, PayStore(who.account_id, who.wallet.id, shop.code, 2_000))
        for day in (FIRST, SECOND):
            assert (await office.close(day)).statements == 0
    assert await known(engine) == [False, False]
    assert (await office.told(await office.close(THIRD)))[shop.id].statement.figures.payments_yen == 2_000
    await town.must_prove()


async def alter(migrator_engine: AsyncEngine, statement: str) -> None:
    """Change what only grows, as its keeper could."""
    async with migrator_engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(statement))


async def test_what_a_close_has_surely_taken_is_searched_by_no_later_one(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    """Only a lost claim shows that. `prove` finds it; and a close that cannot say makes the next one search all."""
    town = Town(engine)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 1_000)
    await office.close(FIRST)
    await alter(migrator_engine, "DELETE FROM statement_claim")
    assert (await office.close(SECOND)).statements == 0
    assert not (await town.proof()).clean
    await alter(migrator_engine, "UPDATE settlement_close SET late_since = NULL")
    assert (await office.close(THIRD)).statements == 1


async def test_a_payment_after_the_databases_clock_was_set_back_behind_the_cutoff_is_told_in_the_next_close(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    """As when another machine becomes the database whose clock is behind: it is the day before once more."""
    town = Town(engine)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 1_000)
    await office.close(FIRST)
    # What is recorded from now on is recorded before that.
    await alter(migrator_engine, "UPDATE settlement_close SET late_since = late_since + interval '10 minutes'")
    town.go_to(end_of(FIRST) - timedelta(minutes=9))
    receipt = await town.pay_store(who, shop, 2_000)
    await town.refund(shop, receipt, 700)
    figures = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (figures.payments_count, figures.payments_yen, figures.refunded_yen) == (1, 2_000, 700)
    await town.must_prove()
