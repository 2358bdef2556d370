"""Closes, refunds and bank files at once; each race opens with a control that happens without the guard."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import start_of
from services.kit.db import Tx
from services.kit.errors import Busy
from services.settlement.bank_file import BankFileStepWrong, NoPayoutsDue
from services.settlement.books import ClosedBooks
from services.settlement.close import Close, close
from services.settlement.closings import ClosingOutOfOrder
from services.settlement.propose import ProposedFile, ProposeFile, propose
from services.settlement.tables import claims, closes, files
from tests.settlement.office import FIRST, PAY_DAY, SECOND, Office, count_rows
from tests.town import APPROVER, CODE, OFFICER, Resident, Shop, Town

FOUR = 4


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def sold(town: Town, count: int = 3) -> tuple[Resident, list[Shop]]:
    """A programme, a resident, and shops that sold 2,000 yen each."""
    await town.programme()
    who = await town.resident()
    await town.buy(who, 3)
    shops = [await town.shop() for _ in range(count)]
    for shop in shops:
        await town.pay_store(who, shop, 2_000)
    return who, shops


def meet_after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, parties: int = FOUR) -> None:
    """Let `parties` transactions all have asked a question before any of them acts on the answer."""
    asked: Callable[..., Awaitable[Any]] = getattr(module, name)
    barrier = asyncio.Barrier(parties)

    async def ask(*args: Any, **named: Any) -> Any:
        answer = await asked(*args, **named)
        await barrier.wait()
        return answer

    monkeypatch.setattr(module, name, ask)


async def without(migrator_engine: AsyncEngine, *statements: str) -> None:
    async with migrator_engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def no_lock(_tx: Tx, _name: object) -> None:
    """What the guards are when somebody takes them away."""


async def at_once(*deeds: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*deeds, return_exceptions=True)


async def test_control_four_closes_at_once_claim_everything_four_times(
    town: Town, engine: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sold(town)
    await without(
        migrator_engine,
        "ALTER TABLE settlement_close DROP CONSTRAINT uq_settlement_close_programme_id_closing_date",
        "ALTER TABLE statement_claim DROP CONSTRAINT pk_statement_claim",
    )
    monkeypatch.setattr(closes, "hold_books", no_lock)
    meet_after(monkeypatch, claims, "claim")
    town.go_to(start_of(SECOND))
    await at_once(*(town.do(close, Close(CODE, FIRST, OFFICER)) for _ in range(FOUR)))
    assert (await count_rows(engine))["statement_claim"] == FOUR * 3
    assert not (await town.proof()).clean


async def test_four_closes_at_once_are_one_close(town: Town, engine: AsyncEngine) -> None:
    await sold(town)
    town.go_to(start_of(SECOND))
    found = await at_once(*(town.do(close, Close(CODE, FIRST, OFFICER)) for _ in range(FOUR)))
    assert found == [found[0]] * FOUR
    assert isinstance(found[0], ClosedBooks)
    rows = await count_rows(engine)
    assert (rows["settlement_close"], rows["statement"], rows["statement_claim"]) == (1, 3, 3)
    await town.must_prove()


async def test_without_the_lock_the_keys_still_let_one_close_through(
    town: Town, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sold(town)
    monkeypatch.setattr(closes, "hold_books", no_lock)
    meet_after(monkeypatch, closes, "find_closes")
    town.go_to(start_of(SECOND))
    found = await at_once(*(town.do(close, Close(CODE, FIRST, OFFICER)) for _ in range(FOUR)))
    assert sum(isinstance(each, ClosedBooks) for each in found) == 1
    assert (await count_rows(engine))["statement_claim"] == 3
    await town.must_prove()


async def test_two_days_closed_at_once_are_closed_in_order_or_not_at_all(town: Town) -> None:
    await sold(town)
    town.go_to(start_of(SECOND + timedelta(days=1)))
    days = (SECOND, FIRST, SECOND, FIRST)
    found = await at_once(*(town.do(close, Close(CODE, day, OFFICER)) for day in days))
    assert {type(each) for each in found} <= {ClosedBooks, ClosingOutOfOrder}
    assert any(isinstance(each, ClosedBooks) and each.closing_date == FIRST for each in found)
    await town.must_prove()


async def test_control_a_refund_between_summing_and_claiming_is_claimed_unsummed(town: Town) -> None:
    """What the close would tell a store if it read first and claimed with a second statement."""
    who, (shop, *_) = await sold(town, 1)
    bread = await town.pay_store(who, shop, 1_000)
    unclaimed = "FROM payment_leg WHERE store_id = :id"
    net = f"SELECT sum(CASE kind WHEN 'payment' THEN amount_yen ELSE -amount_yen END) {unclaimed}"
    async with town.database.begin() as tx:
        summed = (await tx.connection.execute(text(net), {"id": shop.id})).scalar_one()
        await town.refund(shop, bread, 400)
        claim = f"INSERT INTO statement_claim SELECT id, :id {unclaimed}"
        await tx.connection.execute(text(claim), {"id": shop.id})
        claimed = (await tx.connection.execute(text(net), {"id": shop.id})).scalar_one()
    assert (summed, claimed) == (3_000, 2_600)


@pytest.mark.parametrize("turn", range(4))
async def test_refunds_and_payments_beside_a_close_are_told_once(town: Town, turn: int) -> None:
    """Deeds with instants before the cut-off commit while the close runs: this statement or the next."""
    office = Office(town)
    who, shops = await sold(town)
    other = await town.resident()
    await town.buy(other, 3)
    bread = [await town.pay_store(who, shop, 1_000) for shop in shops]
    late = Town(town.database.engine, at=town.clock.now(), seed=7)
    town.go_to(start_of(FIRST + timedelta(days=1)))

    async def after(steps: int, deed: Callable[[], Awaitable[Any]]) -> Any:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await deed()

    refunds = [after(turn * 9, lambda i=i: late.refund(shops[i], bread[i], 250 + i)) for i in range(3)]  # type: ignore[misc]
    found = await at_once(
        after(turn * 5, lambda: town.do(close, Close(CODE, FIRST, OFFICER))),
        *refunds,
        after(turn * 12, lambda: late.pay_store(other, shops[0], 77)),
    )
    assert [each for each in found if isinstance(each, BaseException)] == []
    await town.must_prove()
    first, second = await office.told(found[0]), await office.told(await office.close(SECOND))
    told = [record.statement.figures for record in (*first.values(), *second.values())]
    assert sum(each.refunded_yen for each in told) == 250 + 251 + 252
    assert sum(each.payments_yen for each in told) == 9_077
    await town.must_prove()


async def due(town: Town) -> Office:
    """An office on the pay day, with everything sold and closed."""
    await sold(town)
    office = Office(town)
    await office.close(FIRST)
    office.morning_after(PAY_DAY - timedelta(days=1))
    return office


async def test_control_four_proposals_at_once_pay_everything_four_times(
    town: Town, engine: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await due(town)
    await without(migrator_engine, "DROP INDEX uq_payout_live")
    monkeypatch.setattr(files, "hold_account", no_lock)
    meet_after(monkeypatch, files, "payouts_due")
    await at_once(*(town.do(propose, ProposeFile(CODE, PAY_DAY, OFFICER)) for _ in range(FOUR)))
    rows = await count_rows(engine)
    assert (rows["bank_file"], rows["payout"]) == (FOUR, FOUR * 3)


async def test_four_proposals_at_once_make_one_file(town: Town, engine: AsyncEngine) -> None:
    await due(town)
    found = await at_once(*(town.do(propose, ProposeFile(CODE, PAY_DAY, OFFICER)) for _ in range(FOUR)))
    assert Counter(type(each) for each in found) == {ProposedFile: 1, NoPayoutsDue: 3}
    rows = await count_rows(engine)
    assert (rows["bank_file"], rows["payout"]) == (1, 3)
    await town.must_prove()


async def test_without_the_lock_the_index_still_lets_one_file_through(
    town: Town, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await due(town)
    monkeypatch.setattr(files, "hold_account", no_lock)
    meet_after(monkeypatch, files, "payouts_due")
    found = await at_once(*(town.do(propose, ProposeFile(CODE, PAY_DAY, OFFICER)) for _ in range(FOUR)))
    assert Counter(type(each) for each in found) == {ProposedFile: 1, Busy: 3}
    assert (await count_rows(engine))["bank_file"] == 1
    await town.must_prove()


@pytest.mark.parametrize("turn", range(3))
async def test_an_approval_and_a_void_at_once_are_one_of_the_two(town: Town, engine: AsyncEngine, turn: int) -> None:
    office = await due(town)
    file = (await office.propose()).file
    deeds = [office.approve(file), office.void(file), office.approve(file), office.void(file)]
    found = await at_once(*deeds[turn:], *deeds[:turn])
    assert Counter(type(each) is BankFileStepWrong for each in found) == {True: 3, False: 1}
    await town.must_prove()


async def test_marking_a_file_sent_four_times_at_once_moves_its_money_once(town: Town) -> None:
    office = await due(town)
    file = (await office.propose()).file
    await office.approve(file, APPROVER)
    found = await at_once(*(office.sent(file) for _ in range(FOUR)))
    assert Counter(type(each) is BankFileStepWrong for each in found) == {True: 3, False: 1}
    found = await at_once(*(office.paid(file) for _ in range(FOUR)))
    assert Counter(type(each) is BankFileStepWrong for each in found) == {True: 3, False: 1}
    await town.must_prove()
