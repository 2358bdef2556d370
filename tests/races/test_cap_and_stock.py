"""Forty purchases at once: exactly the person's cap, exactly the last units of stock, exactly the budget."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import tables as campaigns
from services.campaigns.programme import GrantBudgetExhausted, StockExhausted
from services.kit.db import Tx
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, Undo, attach_checkout, hear, reserve, undo
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from services.wallets.purchase import CapExceeded, Purchase, PurchaseNotUndoable, PurchaseStatus
from services.wallets.spend import PointsMissing
from services.wallets.tables import purchases
from tests.races.contest import Gate, at_once, closed_gate, connected, drop_constraints, lined_up, scalar, without_locks
from tests.town import CODE, OFFICER, Resident, Town, town_terms

CROWD = 40
BOUGHT = "SELECT sum(units) FROM purchase WHERE status IN ('reserved', 'paid')"


async def buyers(engine: AsyncEngine, people: int, **changes: int) -> tuple[Town, list[Resident]]:
    town = Town(engine)
    await town.programme(replace(town_terms(), **changes))  # type: ignore[arg-type]
    return town, [await town.resident() for _ in range(people)]


def buying(who: Resident) -> Buy:
    return Buy(who.wallet.id, who.account_id, CODE, 1)


def read_sum_then_insert(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    """The cap as a sum that is read before the insert."""

    async def count_by_sum(tx: Tx, wallet_id: object, programme_id: object, yen: int, cap_yen: int) -> int | None:
        question = "SELECT coalesce(sum(price_yen), 0) FROM purchase WHERE wallet_id = :w AND programme_id = :p"
        found = await tx.connection.execute(text(question), {"w": wallet_id, "p": programme_id})
        so_far = int(found.scalar_one())
        await gate.pass_through(tx)
        return None if so_far + yen <= cap_yen else cap_yen - so_far

    monkeypatch.setattr(purchases, "count_bought", count_by_sum)


async def test_control_a_cap_read_as_a_sum_sells_forty_times_one_unit(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, [who] = await buyers(crowd, 1)
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        read_sum_then_insert(monkeypatch, gate)
        done, refused = await lined_up(crowd, gate, open_gate, [town.do(reserve, buying(who)) for _ in range(CROWD)])
    assert (len(done), refused) == (CROWD, [])
    assert await scalar(crowd, BOUGHT) * 10_000 == 400_000


@pytest.mark.parametrize("locked", [True, False], ids=["as it is", "without the wallet's lock"])
async def test_forty_purchases_at_once_sell_exactly_the_cap(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    town, [who] = await buyers(crowd, 1)
    if not locked:
        without_locks(monkeypatch)
    done, refused = await at_once(town.do(reserve, buying(who)) for _ in range(CROWD))
    assert len(done) == 3
    assert Counter(type(each) for each in refused) == {CapExceeded: CROWD - 3}
    assert {each.params["left_yen"] for each in refused} == {0}
    assert await scalar(crowd, BOUGHT) * 10_000 == 30_000
    await town.must_prove()


def read_stock_then_sell(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    """Stock that is looked at first and taken afterwards."""

    async def look_then_move(tx: Tx, programme_id: object, *, reserve: int, sell: int) -> bool:
        stock = await campaigns.read_stock(tx, programme_id)  # type: ignore[arg-type]
        assert stock is not None
        await gate.pass_through(tx)
        if reserve + sell > stock.units_left:
            return False
        move = "UPDATE programme_stock SET reserved_units = reserved_units + :n WHERE programme_id = :p"
        await tx.connection.execute(text(move), {"n": reserve, "p": programme_id})
        return True

    monkeypatch.setattr(campaigns, "move_stock", look_then_move)


async def test_control_stock_that_is_looked_at_first_is_oversold(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, people = await buyers(crowd, CROWD, stock_units=7)
    await drop_constraints(migrator_engine, ("programme_stock", "ck_programme_stock_units"))
    async with closed_gate(crowd) as (gate, open_gate):
        read_stock_then_sell(monkeypatch, gate)
        done, _ = await lined_up(crowd, gate, open_gate, [town.do(reserve, buying(who)) for who in people])
    assert len(done) == CROWD > 7
    assert await scalar(crowd, BOUGHT) == CROWD


async def test_forty_buyers_at_once_get_exactly_the_last_units(crowd: AsyncEngine) -> None:
    town, people = await buyers(crowd, CROWD, stock_units=7)
    done, refused = await at_once(town.do(reserve, buying(who)) for who in people)
    assert len(done) == 7
    assert Counter(type(each) for each in refused) == {StockExhausted: CROWD - 7}
    assert await scalar(crowd, BOUGHT) == 7
    assert await scalar(crowd, "SELECT sum(bought_yen) FROM bought") == 70_000
    await town.must_prove()


async def test_twenty_grants_at_once_spend_exactly_the_budget(crowd: AsyncEngine) -> None:
    town, people = await buyers(crowd, 20, grant_budget_points=1_250)
    commands = [Grant(CODE, "common", "x", OFFICER, (GrantLine(2, who.wallet.number, 100),)) for who in people]
    done, refused = await at_once(town.do(grant, command) for command in commands)
    assert len(done) == 12
    assert Counter(type(each) for each in refused) == {GrantBudgetExhausted: 8}
    assert {each.params["left_points"] for each in refused} == {50}
    assert await scalar(crowd, "SELECT sum(premium_yen) FROM lot") == 1_200
    await town.must_prove()


async def one_at_checkout(town: Town, who: Resident) -> Purchase:
    purchase = await town.do(reserve, buying(who))
    await town.do(attach_checkout, AttachCheckout(purchase.id, "checkout"))
    return purchase


async def test_control_without_the_lock_one_checkout_is_heard_twice(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, [who] = await buyers(crowd, 1)
    purchase = await one_at_checkout(town, who)
    await drop_constraints(migrator_engine, ("programme_stock", "ck_programme_stock_not_negative"))
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, purchases, "find_purchase")
        word = CheckoutWord("checkout", True, purchase.price_yen)
        await lined_up(crowd, gate, open_gate, [town.do(hear, word) for _ in range(5)])
    assert await scalar(crowd, "SELECT sum(paid_yen + premium_yen) FROM lot") == 5 * 13_000


async def test_a_checkout_that_is_paid_twenty_times_at_once_gives_its_points_once(crowd: AsyncEngine) -> None:
    town, [who] = await buyers(crowd, 1)
    purchase = await one_at_checkout(town, who)
    words = [CheckoutWord("checkout", True, purchase.price_yen)] * 20
    await connected(crowd, len(words))
    done, refused = await at_once(town.do(hear, word) for word in words)
    assert refused == []
    assert {each.status for each in done} == {PurchaseStatus.PAID}
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_paid_and_declined_at_once_end_in_points_or_in_late_money(crowd: AsyncEngine) -> None:
    town, people = await buyers(crowd, 10)
    for number, who in enumerate(people):
        purchase = await town.do(reserve, buying(who))
        await town.do(attach_checkout, AttachCheckout(purchase.id, f"checkout-{number}"))
        words = [CheckoutWord(f"checkout-{number}", paid, 10_000) for paid in (True, False)]
        await at_once(town.do(hear, word) for word in words)
        last = await town.do(hear, words[0])
        assert (last.status, await town.points(who)) in {
            (PurchaseStatus.PAID, 13_000),
            (PurchaseStatus.LATE, 0),
        }
    await town.must_prove()


async def test_a_purchase_is_undone_or_spent_from_never_both(crowd: AsyncEngine) -> None:
    town, people = await buyers(crowd, 10)
    shop = await town.shop()
    for who in people:
        purchase = await town.buy(who)
        calls = [town.pay_store(who, shop, 100), town.do(undo, Undo(purchase.number, "x", OFFICER))]
        done, refused = await at_once(calls)
        assert len(done) == 1
        assert {type(each) for each in refused} <= {PointsMissing, PurchaseNotUndoable}
        assert await town.points(who) == (0 if isinstance(refused[0], PointsMissing) else 12_900)
    await town.must_prove()
