"""A close takes every deed once, tells each store to the yen, and owes it in the ledger."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import ProgrammeUnknown
from services.campaigns.terms import ClosingRhythm
from services.kit.clock import start_of
from services.kit.db import Tx
from services.kit.errors import Busy
from services.ledger.chart import Account
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.settlement.books import ClosedBooks
from services.settlement.close import Close, close
from services.settlement.closings import ClosingNotOver, ClosingOutOfOrder, NotAClosingDate
from tests.settlement.office import FIRST, PAY_DAY, SECOND, Office, at, count_rows, settled
from tests.town import CODE, NOON, OFFICER, Town, town_terms


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def test_a_store_is_told_what_it_sold_and_owed_its_net(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, small, large = await town.resident(), await town.shop(), await town.shop("large")
    await town.buy(who, 3)
    bread = await town.pay(who, small, 3_333)
    await town.refund(small, bread, 333)
    await town.cancel(small, await town.pay_store(who, small, 500))
    await town.pay_store(who, large, 9_999)
    books = await office.close(FIRST)
    assert (books.statements, books.transfer_date, books.final) == (2, PAY_DAY, False)
    told = await office.told(books)
    figures = told[small.id].statement.figures
    assert (figures.payments_count, figures.payments_yen) == (2, 3_833)
    assert (figures.cancelled_yen, figures.refunded_yen, figures.net_sales_yen) == (500, 333, 3_000)
    assert (figures.fee_yen, figures.fee_tax_yen, figures.net_yen, figures.payout_yen) == (150, 15, 2_835, 2_835)
    assert told[large.id].statement.figures.payout_yen == 9_999
    assert books.payout_yen == 12_834
    assert await office.owed(Account.STORE_PAYABLE) == 0
    assert await office.owed(Account.PAYOUT_DUE, small.id) == 2_835
    assert await office.owed(Account.PAYOUT_DUE, large.id) == 9_999
    assert (await office.owed(Account.FEE_INCOME), await office.owed(Account.FEE_TAX)) == (150, 15)
    await town.must_prove()


async def test_a_second_close_of_a_day_is_the_first_one_without_another_effect(town: Town, engine: AsyncEngine) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 5_000)
    books = await office.close(FIRST)
    before = await count_rows(engine)
    await town.pay(who, shop, 10)
    between = await count_rows(engine)
    assert await office.close(FIRST) == books
    await office.close(SECOND)
    assert await office.close(FIRST, officer_id=None) == books
    assert between["statement_claim"] == before["statement_claim"] == 1
    await town.must_prove()


async def test_a_day_without_deeds_is_closed_all_the_same(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    books = await office.close(FIRST, officer_id=None)
    assert (books.statements, books.payout_yen) == (0, 0)
    await town.must_prove()


async def test_only_what_can_be_closed_is_closed(town: Town, engine: AsyncEngine) -> None:
    await town.programme()
    before = await count_rows(engine)
    town.go_to(start_of(FIRST + timedelta(days=1)) - timedelta(seconds=1))
    refusals = (
        (Close(CODE, FIRST, OFFICER), ClosingNotOver),
        (Close(CODE, date(2026, 4, 14), OFFICER), NotAClosingDate),
        (Close(CODE, date(2026, 3, 31), OFFICER), NotAClosingDate),
        (Close("moonlight", FIRST, OFFICER), ProgrammeUnknown),
    )
    for command, refusal in refusals:
        with pytest.raises(refusal):
            await town.do(close, command)
    town.go_to(at(date(2026, 5, 1)))
    with pytest.raises(ClosingOutOfOrder):
        await town.do(close, Close(CODE, SECOND, OFFICER))
    assert await count_rows(engine) == before


async def test_the_instant_of_a_deed_decides_to_the_microsecond(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    midnight = start_of(FIRST + timedelta(days=1))
    town.go_to(midnight - timedelta(microseconds=1))
    await town.pay_store(who, shop, 4_000)
    town.go_to(midnight)
    await town.pay_store(who, shop, 5_000)
    first, second = await office.close(FIRST), await office.close(SECOND)
    assert (await office.told(first))[shop.id].statement.figures.payments_yen == 4_000
    assert (await office.told(second))[shop.id].statement.figures.payments_yen == 5_000
    await town.must_prove()


async def test_a_deed_that_commits_after_the_close_is_told_in_the_next_statement(town: Town) -> None:
    """Neither waits for the other: the close finds the open payment's lots locked and its legs unseen."""
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 2_000)
    async with town.database.begin() as slow:
        await pay_store(slow, PayStore(who.account_id, who.wallet.id, shop.code, 3_000))
        books = await office.close(FIRST)
        assert (await office.told(books))[shop.id].statement.figures.payments_yen == 2_000
    later = await office.close(SECOND)
    assert (await office.told(later))[shop.id].statement.figures.payments_yen == 3_000
    await town.must_prove()


async def test_each_programme_closes_its_own_part_of_a_payment(town: Town) -> None:
    office = Office(town)
    one = await town.programme()
    daily = replace(town_terms(rhythm=ClosingRhythm.DAILY), use=replace(town_terms().use, last=date(2026, 8, 31)))
    other = await town.programme(daily, code="moonlight")
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.buy(who, code="moonlight")
    await town.pay_store(who, shop, 20_000)
    for day in range(1, 7):
        last = await office.close(date(2026, 4, day), code="moonlight")
    assert (await office.told(last))[shop.id].statement.figures.payments_yen == 13_000
    first = await office.close(FIRST)
    assert (await office.told(first))[shop.id].statement.figures.payments_yen == 7_000
    assert (await office.totals(one)).gross_yen + (await office.totals(other)).gross_yen == 20_000
    await town.must_prove()


async def test_the_books_close_under_the_terms_in_force_then(engine: AsyncEngine) -> None:
    """Fees are corrected before the first day of use only, the calendar's lag and the minimum at any time."""
    town = Town(engine, at=at(date(2026, 3, 31)))
    office, _ = Office(town), await town.programme()
    await town.correct(settled(fee_bp_small=199))
    town.go_to(NOON)
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 10_000)
    await town.correct(settled(fee_bp_small=199, minimum_payout_yen=0, lag_business_days=1))
    books = await office.close(FIRST)
    figures = (await office.told(books))[shop.id].statement.figures
    assert (figures.fee_bp, figures.fee_yen, figures.fee_tax_yen) == (199, 199, 19)
    assert books.transfer_date == date(2026, 4, 16), "money never moves on the day that is closed"
    await town.must_prove()


async def test_a_close_that_dies_on_its_way_has_done_nothing(town: Town, engine: AsyncEngine) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 5_000)
    office.morning_after(FIRST)
    before = await count_rows(engine)

    async def die(tx: Tx, command: Close) -> ClosedBooks:
        await close(tx, command)
        await tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        raise AssertionError("unreachable")

    with pytest.raises(Busy):
        await town.do(die, Close(CODE, FIRST, OFFICER))
    assert await count_rows(engine) == before
    await engine.dispose()
    assert (await office.close(FIRST)).statements == 1
    await town.must_prove()


async def test_nothing_of_a_close_is_altered_afterwards(town: Town, engine: AsyncEngine) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 5_000)
    books = await office.close(FIRST)
    (record,) = (await office.told(books)).values()
    for statement in (
        "UPDATE statement SET payout_yen = payout_yen + 1 WHERE id = :id",
        "DELETE FROM statement_claim WHERE statement_id = :id",
        "UPDATE settlement_close SET final = true WHERE id <> :id",
    ):
        with pytest.raises(Exception, match=r"permission denied|written once"):
            await run(engine, statement, record.statement.id)


async def run(engine: AsyncEngine, statement: str, statement_id: UUID) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), {"id": statement_id})
