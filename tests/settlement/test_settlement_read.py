"""What is read of settlement: a store sees its own, an officer every line, a report the sums."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.errors import Missing
from services.kit.ids import SeededEntropy, uuid7
from services.merchants.shops import MemberRole
from services.settlement import read
from tests.settlement.office import FINAL, FIRST, SECOND, Office
from tests.town import CODE, Town


@pytest.fixture
def office(engine: AsyncEngine) -> Office:
    return Office(Town(engine))


async def test_an_owner_and_a_manager_see_their_stores_statements_and_nobody_else(office: Office) -> None:
    town = office.town
    await town.programme()
    who, shop, other = await town.resident(), await town.shop(), await town.shop()
    await town.buy(who)
    for store in (shop, other):
        await town.pay_store(who, store, 2_000)
    await office.close(FIRST)
    await town.pay_store(who, shop, 300)
    await office.close(SECOND)
    owner, manager = await office.owner(shop), await office.owner(shop, MemberRole.MANAGER)

    async with town.database.begin() as tx:
        found = await read.statements_of_store(tx, owner, shop.id)
        assert [record.closing_date for record in found] == [SECOND, FIRST]
        assert [record.previous_closing_date for record in found] == [FIRST, None]
        assert found == await read.statements_of_store(tx, manager, shop.id)
        (mine,) = await read.statements_of_store(tx, owner, shop.id, limit=1)
        paper = await read.paper_of_store(tx, owner, shop.id, mine.statement.id)
        assert (paper.record, paper.period_first.isoformat()) == (mine, "2026-04-16")
        (theirs,) = await read.statements_of_store(tx, await office.owner(other), other.id)
        for account_id, store_id in ((shop.clerk_id, shop.id), (owner, other.id), (who.account_id, shop.id)):
            with pytest.raises(Missing):
                await read.statements_of_store(tx, account_id, store_id)
        for statement_id in (theirs.statement.id, uuid7(tx.now, SeededEntropy(9))):
            with pytest.raises(Missing):
                await read.paper_of_store(tx, owner, shop.id, statement_id)


async def test_the_closes_of_a_programme_are_listed_with_their_statements(office: Office) -> None:
    town = office.town
    await town.programme()
    who = await town.resident()
    await town.buy(who)
    for shop in await office.shops(4):
        await town.pay_store(who, shop, 1_500)
    first, second = await office.close(FIRST), await office.close(SECOND)
    async with town.database.begin() as tx:
        assert await read.closes_of(tx, CODE) == (second, first)
        assert await read.closed_books(tx, first.id) == first
        page = await read.statements_of_close(tx, first.id, limit=3)
        rest = await read.statements_of_close(tx, first.id, after_store=page[-1].store_code)
        codes = [record.store_code for record in (*page, *rest)]
        assert codes == sorted(codes)
        assert len(codes) == 4
        assert [paper.record for paper in await read.papers_of_close(tx, first.id)] == [*page, *rest]
        with pytest.raises(Missing):
            await read.closed_books(tx, who.person_id)
        with pytest.raises(Missing):
            await read.statement_paper(tx, who.person_id)


async def test_an_officer_checks_a_file_line_by_line_without_whole_numbers(office: Office) -> None:
    town = office.town
    await town.programme()
    who, shop = await town.resident(), await town.shop("large")
    branch = await town.shop("large", merchant_id=shop.merchant_id)
    await town.buy(who)
    for store in (shop, branch):
        await town.pay_store(who, store, 4_000)
    await office.close(FIRST)
    file = (await office.propose()).file
    async with town.database.begin() as tx:
        record = await read.bank_file_record(tx, file.id)
        assert await read.bank_files(tx) == (file,) == await read.bank_files(tx, paying_account=file.paying_account)
        assert await read.bank_files(tx, paying_account="another") == ()
        with pytest.raises(Missing):
            await read.bank_file_record(tx, shop.id)
    (line,) = record.lines
    assert (line.line, line.amount_yen, line.bank_code, line.branch_code) == (1, 8_000, "0138", "641")
    assert (line.masked_number[:3], len(line.masked_number)) == ("***", 7)
    assert line.store_codes == tuple(sorted((shop.code, branch.code)))
    assert len(line.statement_numbers) == 2


async def test_the_totals_say_where_every_yen_is(office: Office) -> None:
    town = office.town
    programme_id = await town.programme()
    who, paid, held, small = await town.resident(), *[await town.shop("large") for _ in range(3)]
    await town.buy(who)
    coat = await town.pay_store(who, paid, 2_000)
    await town.pay_store(who, held, 3_000)
    await town.pay_store(who, small, 10)
    await office.close(FIRST)
    await office.suspend(held)
    file = (await office.propose()).file
    await office.approve(file)
    await office.sent(file)
    totals = await office.totals(programme_id)
    assert (totals.on_its_way_yen, totals.paid_out_yen, totals.still_owed_yen) == (2_000, 0, 5_010)
    await office.paid(file)
    await town.refund(paid, coat, 1_200)
    await office.close_all(FINAL)
    totals = await office.totals(programme_id)
    assert (totals.statements, totals.bank_files, totals.transfers) == (6, 1, 1)
    assert (totals.gross_yen, totals.refunded_yen, totals.net_yen) == (5_010, 1_200, 3_810)
    assert (totals.paid_out_yen, totals.still_owed_yen, totals.receivable_yen) == (2_000, 3_010, 1_200)
    assert totals.paid_out_yen == totals.net_yen - totals.still_owed_yen + totals.receivable_yen
    await town.must_prove()
