"""A close takes every deed once, tells each store to the yen, and owes it in the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
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
from services.settlement.tables import claims
from services.settlement.tables.schema import ClaimRow
from tests.settlement.office import FINAL, FIRST, PAY_DAY, SECOND, Office, at, count_rows, counting, settled
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


async def test_a_small_sum_is_carried_until_it_reaches_the_minimum(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop("large")
    await town.buy(who)
    await town.pay_store(who, shop, 999)
    first = (await office.told(await office.close(FIRST)))[shop.id].statement.figures
    assert (first.payout_yen, first.carried_out_yen) == (0, 999)
    assert await office.owed(Account.PAYOUT_DUE, shop.id) == 999
    quiet = await office.close(SECOND)
    assert quiet.statements == 0, "a carry alone is no news before the end"
    await town.pay_store(who, shop, 1)
    third = (await office.told(await office.close(date(2026, 5, 15))))[shop.id].statement.figures
    assert (third.carried_in_yen, third.payout_yen, third.carried_out_yen) == (999, 1_000, 0)
    await town.must_prove()


async def test_a_refund_after_the_settlement_becomes_a_debt_that_later_sales_repay(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    coat = await town.pay(who, shop, 10_000)
    await office.close(FIRST)
    await office.pay_out()
    await town.refund(shop, coat, 10_000)
    assert await town.points(who) == 13_000, "the resident has the points at once"
    second = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (second.payments_yen, second.refunded_yen) == (0, 10_000)
    assert (second.fee_yen, second.fee_tax_yen, second.net_yen) == (-500, -50, -9_450)
    assert (second.payout_yen, second.receivable_out_yen) == (0, 9_450)
    assert await office.owed(Account.STORE_RECEIVABLE, shop.id) == -9_450
    await town.must_prove()
    await town.pay_store(who, shop, 12_000)
    third = (await office.told(await office.close(date(2026, 5, 15))))[shop.id].statement.figures
    assert (third.receivable_in_yen, third.receivable_out_yen) == (9_450, 0)
    assert third.payout_yen == 12_000 - 600 - 60 - 9_450
    assert await office.owed(Account.STORE_RECEIVABLE, shop.id) == 0
    await town.must_prove()


async def test_the_final_close_pays_every_carry_and_states_every_debt(town: Town) -> None:
    office, programme_id = Office(town), await town.programme()
    who = await town.resident()
    carrying, owing = await town.shop("large"), await town.shop("large")
    await town.buy(who)
    await town.pay_store(who, carrying, 5)
    returned = await town.pay_store(who, owing, 2_000)
    await office.close(FIRST)
    await town.refund(owing, returned, 2_000)
    await office.close_all(date(2026, 9, 30))
    final = await office.close(FINAL)
    assert final.final
    told = await office.told(final)
    assert told[carrying.id].statement.figures.payout_yen == 5
    assert told[owing.id].statement.figures.receivable_out_yen == 2_000
    totals = await office.totals(programme_id)
    assert (totals.carried_yen, totals.receivable_yen) == (0, 2_000)
    await town.must_prove()


async def test_points_that_a_late_refund_revived_are_settled_by_a_further_final_close(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop, other = await town.resident(), await town.shop("large"), await town.shop("large")
    await town.buy(who)
    bought = await town.pay_store(who, shop, 8_000)
    town.go_to(at(date(2026, 10, 14)))
    await town.expire()
    await town.refund(shop, bought, 8_000)
    await office.close_all(FINAL)
    town.go_to(at(date(2026, 10, 20)))
    await town.pay_store(who, other, 7)
    further = await office.close(date(2026, 11, 15))
    assert further.final
    told = await office.told(further)
    assert told[other.id].statement.figures.payout_yen == 7
    assert told[shop.id].statement.figures.receivable_out_yen == 8_000, "a debt is stated until it is settled"
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


async def test_a_close_costs_the_same_statements_for_few_and_many_stores(town: Town, engine: AsyncEngine) -> None:
    office, _ = Office(town), await town.programme()
    who, other = await town.resident(), await town.resident()
    await town.buy(who, 3)
    await town.buy(other, 3)
    await town.pay_store(who, (await office.shops(1))[0], 2_000)
    async with counting(engine) as few:
        await office.close(FIRST)
    for shop in await office.shops(40):
        await town.pay_store(who, shop, 300)
        await town.pay_store(other, shop, 700)
    async with counting(engine) as many:
        books = await office.close(SECOND)
    assert books.statements == 40
    rest_of_few, rest_of_many = (_without_claims(sent) for sent in (few, many))
    assert len(rest_of_few) == len(rest_of_many) <= 12
    assert max(len(few) - len(rest_of_few), len(many) - len(rest_of_many)) <= 10, (
        "half a month in longer and longer pieces"
    )
    await town.must_prove()


@pytest.mark.parametrize("legs", [1, 3, 100_000])
async def test_pieces_of_any_size_claim_every_deed_once(town: Town, monkeypatch: pytest.MonkeyPatch, legs: int) -> None:
    """Deeds at the border of two pieces, as they grow where little is sold, and at both sides of the cut-off."""
    monkeypatch.setattr(claims, "LEGS_OF_A_PIECE", legs)
    office, _ = Office(town), await town.programme()
    who, small, large = await town.resident(), await town.shop(), await town.shop("large")
    await town.buy(who, 3)
    expected = {small.id: [0, 0], large.id: [0, 0]}
    border = start_of(town_terms().use.first) + timedelta(hours=1 + 2 + 4 + 8 + 16, days=8)
    cutoff, instant = start_of(FIRST + timedelta(days=1)), timedelta(microseconds=1)
    moments = [NOON, border - instant, border, border + instant, cutoff - instant, cutoff, cutoff + timedelta(hours=1)]
    for place, moment in enumerate(moments):
        shop = (small, large)[place % 2]
        town.go_to(moment)
        await town.pay_store(who, shop, 100 + place)
        expected[shop.id][moment >= cutoff] += 100 + place
    rests = 0

    async def rest(_: Tx) -> None:
        nonlocal rests
        rests += 1

    for turn, day in enumerate((FIRST, SECOND)):
        office.morning_after(day)
        books = await town.do(partial(close, rest=rest), Close(CODE, day, OFFICER))
        told = {store_id: record.statement.figures for store_id, record in (await office.told(books)).items()}
        assert {store_id: figures.payments_yen for store_id, figures in told.items()} == {
            store_id: yen[turn] for store_id, yen in expected.items() if yen[turn]
        }
    assert rests >= 4
    await town.must_prove()


async def test_a_deed_that_commits_between_two_pieces_is_the_next_closes(town: Town) -> None:
    """Its instant lies in a piece that is done: this close does not see it, the next one does, once."""
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    await town.pay_store(who, shop, 1_000)
    office.morning_after(FIRST)
    morning, rests = town.clock.now(), 0

    async def rest(_: Tx) -> None:
        nonlocal rests
        rests += 1
        if rests == 8:  # the last piece, with the first payment in it, has been claimed
            town.clock.set(NOON)
            await town.pay_store(who, shop, 234)
            town.clock.set(morning)

    books = await town.do(partial(close, rest=rest), Close(CODE, FIRST, OFFICER))
    assert rests > 8
    assert (await office.told(books))[shop.id].statement.figures.payments_yen == 1_000
    later = await office.close(SECOND)
    assert (await office.told(later))[shop.id].statement.figures.payments_yen == 234
    await town.must_prove()


async def test_refunds_and_cancels_between_two_pieces_are_each_told_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of payments that the close has claimed, and of those that it has yet to claim; all before its cut-off."""
    monkeypatch.setattr(claims, "LEGS_OF_A_PIECE", 2)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    paid, moments = [], [NOON + timedelta(hours=18 * turn) for turn in range(12)]
    for moment in moments:
        town.go_to(moment)
        paid.append(await town.pay_store(who, shop, 300))
    office.morning_after(FIRST)
    morning, rests, pairs = town.clock.now(), 0, 0

    async def rest(_: Tx) -> None:
        nonlocal rests, pairs
        rests += 1
        if rests >= 8 and pairs < 3:  # the first payments have been claimed, the last have not
            town.clock.set(moments[pairs] + timedelta(minutes=1))
            await town.refund(shop, paid[pairs], 100 + pairs)
            town.clock.set(moments[-1 - pairs])
            await town.cancel(shop, paid[-1 - pairs])
            town.clock.set(morning)
            pairs += 1

    books = await town.do(partial(close, rest=rest), Close(CODE, FIRST, OFFICER))
    assert pairs == 3
    now = (await office.told(books))[shop.id].statement.figures
    later = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (now.payments_yen, later.payments_yen) == (3_600, 0)
    assert (now.refunded_yen, later.refunded_yen) == (0, 100 + 101 + 102)
    assert now.cancelled_yen > 0
    assert now.cancelled_yen + later.cancelled_yen == 3 * 300
    await town.must_prove()


def _without_claims(sent: Sequence[str]) -> list[str]:
    return [statement for statement in sent if f"INSERT INTO {ClaimRow.__tablename__}" not in statement]


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
