"""Balances now and as of any instant, by account, owner and programme; movements as a person sees them."""

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.ledger.chart import CHART, Account
from services.ledger.journal import JournalKind, Posting, entry
from services.ledger.post import post
from services.ledger.read import MAX_MOVEMENTS, balance, movements, trial_balance
from services.wallets.read import history
from tests.town import NOON, Town

TICK = timedelta(microseconds=1)
STORES = tuple(UUID(int=n) for n in (0x51, 0x52))
LOT = UUID(int=0x10)
SEEDS = count()


async def owe(town: Town, programme_id: UUID, store_id: UUID, yen: int, deed_id: UUID | None = None) -> None:
    """A journal that owes a store `yen` (may be below zero) at the clock's instant."""
    postings = (Posting(Account.SUSPENSE, yen), Posting(Account.STORE_PAYABLE, -yen, store_id))
    journal = entry(programme_id, JournalKind.PAYMENT, deed_id or uuid4(), postings)
    await town.do(post, [journal])


async def payable(town: Town, programme_id: UUID | None, store_id: UUID | None, at: datetime | None = None) -> int:
    async def ask(tx: Tx, _: None) -> int:
        return await balance(tx, Account.STORE_PAYABLE, owner_id=store_id, programme_id=programme_id, at=at)

    return await town.do(ask, None)


MOVES = st.lists(
    st.tuples(
        st.integers(0, 30), st.integers(0, 1), st.integers(0, 1), st.integers(-500, 500).filter(lambda yen: yen != 0)
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, asked=st.integers(-1, 31))
async def test_a_balance_as_of_an_instant_is_the_sum_of_what_took_effect_until_then(
    engine: AsyncEngine, moves: list[tuple[int, int, int, int]], asked: int
) -> None:
    town, programmes = Town(engine, seed=next(SEEDS)), (uuid4(), uuid4())
    for minute, programme, store, yen in moves:  # not in the order of time: a late deed counts where it belongs
        town.go_to(NOON + timedelta(minutes=minute))
        await owe(town, programmes[programme], STORES[store], yen)
    at = NOON + timedelta(minutes=asked)
    for index, programme_id in enumerate(programmes):
        mine = [(minute, store, yen) for minute, programme, store, yen in moves if programme == index]
        for number, store_id in enumerate(STORES):
            then = -sum(yen for minute, store, yen in mine if store == number and minute <= asked)
            assert await payable(town, programme_id, store_id, at) == then
        assert await payable(town, programme_id, None, at) == -sum(yen for minute, _, yen in mine if minute <= asked)
        assert await payable(town, programme_id, None) == -sum(yen for _, _, yen in mine)


async def test_an_instant_is_inclusive_to_the_microsecond(engine: AsyncEngine) -> None:
    town, programme_id = Town(engine), uuid4()
    await owe(town, programme_id, STORES[0], 100)
    assert await payable(town, programme_id, STORES[0], NOON) == -100
    assert await payable(town, programme_id, STORES[0], NOON - TICK) == 0


async def test_the_trial_balance_lists_the_whole_chart_and_balances(engine: AsyncEngine) -> None:
    town = Town(engine)
    programme_id = await town.programme()
    other = await town.programme(code="moonlight")
    who, shop = await town.resident(), await town.shop("large")
    await town.buy(who, units=2)
    before = town.clock.now()
    town.wait(minutes=1)
    receipt = await town.pay(who, shop, 3_000)
    await town.refund(shop, receipt, 1_000)
    lines = await town.do(trial_balance, programme_id)
    assert [line.account for line in lines] == [line.account for line in CHART]
    assert sum(line.balance_yen for line in lines) == 0
    found = {line.account: line for line in lines if line.debit_yen or line.credit_yen}
    assert found[Account.STORE_PAYABLE].balance_yen == -2_000
    assert (found[Account.STORE_PAYABLE].debit_yen, found[Account.STORE_PAYABLE].credit_yen) == (1_000, 3_000)
    assert found[Account.CASH_RECEIVABLE].balance_yen == 20_000
    assert found[Account.FUNDER_RECEIVABLE].balance_yen == 6_000
    wallet = found[Account.WALLET_PAID].balance_yen + found[Account.WALLET_PREMIUM].balance_yen
    assert wallet == -24_000 == -await town.points(who)

    async def then(tx: Tx, _: None) -> dict[Account, int]:
        return {line.account: line.balance_yen for line in await trial_balance(tx, programme_id, at=before)}

    earlier = await town.do(then, None)
    assert earlier[Account.STORE_PAYABLE] == 0
    assert earlier[Account.WALLET_PAID] == -20_000
    assert all(line.balance_yen == 0 for line in await town.do(trial_balance, other))
    await town.must_prove()


async def test_movements_tell_what_each_deed_did_newest_first_a_gain_above_zero(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    town.wait(minutes=1)
    receipt = await town.pay(who, shop, 3_000)
    town.wait(minutes=1)
    await town.refund(shop, receipt, 500)
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO))
    await town.expire()

    async def ask(tx: Tx, _: None) -> list[tuple[JournalKind, int]]:
        return [(each.kind, each.change_yen) for each in await history(tx, who.wallet)]

    found = await town.do(ask, None)
    lost = [(kind, yen) for kind, yen in found if kind is JournalKind.EXPIRY]
    assert sum(yen for _, yen in lost) == -10_500
    assert found[len(lost) :] == [
        (JournalKind.REFUND, 500),
        (JournalKind.PAYMENT, -3_000),
        (JournalKind.PURCHASE, 13_000),
    ]
    await town.must_prove()


async def test_movements_are_listed_up_to_a_limit(engine: AsyncEngine) -> None:
    town, programme_id = Town(engine), uuid4()
    for yen in (1, 2, 3):
        town.wait(seconds=1)
        gain = (Posting(Account.SUSPENSE, yen), Posting(Account.WALLET_PREMIUM, -yen, LOT))
        await town.do(post, [entry(programme_id, JournalKind.GRANT, uuid4(), gain)])

    async def ask(tx: Tx, limit: int) -> list[int]:
        return [each.change_yen for each in await movements(tx, [LOT], limit=limit)]

    assert await town.do(ask, 2) == [3, 2]
    assert await town.do(ask, MAX_MOVEMENTS + 1) == [3, 2, 1]
    assert await town.do(lambda tx, _: movements(tx, [], limit=5), None) == []
