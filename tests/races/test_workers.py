"""Two workers that post together and the plain path, on the same wallets at once: exact, and never in a ring.

Clients send a fifth of their payments again, many of them to the other worker. A batch locks its wallets
in the order of their ids and leaves alone what somebody else holds; the controls take each away.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ARRAY, Uuid, func, literal, select, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.deeds import Deed, DeedInProgress, Deeds, fingerprint
from services.kit.errors import Busy
from services.kit.ids import SeededEntropy
from services.kit.sets import any_of
from services.payments.desk import PaymentDesk
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.payments.payment import Receipt, StoreReceipt, for_the_store
from services.payments.tables import at_speed
from services.wallets.tables import access
from services.wallets.tables.schema import WalletRow
from tests.races.contest import scalar, until_blocked
from tests.town import NOON, Resident, Shop, Town

CLIENTS, AGAIN = 64, 0.2
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
HELD = "SELECT wallet_id, sum(paid_yen + premium_yen)::int FROM lot GROUP BY 1"
Order = PayByCode | PayStore


async def pay_for_the_store(tx: Tx, order: PayByCode) -> StoreReceipt:
    """The plain path, with the answer that a store gets."""
    return for_the_store(await pay_by_code(tx, order))


@dataclass(frozen=True)
class Workers:
    """Two processes that post together, and one that does not; each with a pool of its own."""

    desks: tuple[PaymentDesk, PaymentDesk]
    plain: Deeds

    async def send(self, way: int, deed: Deed, order: Order) -> Receipt | StoreReceipt:
        """Send to one of the three, and again for as long as it says so."""
        while True:
            try:
                if way < 2:
                    answer: Receipt | StoreReceipt = (await self.desks[way].perform(deed, order)).result
                elif isinstance(order, PayByCode):
                    answer = (await self.plain.perform(deed, pay_for_the_store, order, StoreReceipt)).result
                else:
                    answer = (await self.plain.perform(deed, pay_store, order, Receipt)).result
            except (Busy, DeedInProgress):
                continue
            return answer


@pytest.fixture
async def workers(database: DatabaseHandle) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        databases = []
        for seed in range(3):
            engine = database.app_engine(pool_size=8)
            stack.push_async_callback(engine.dispose)
            databases.append(Database(engine, SetClock(NOON), SeededEntropy(1_000 + seed)))
        first, second, plain = databases
        desks = (PaymentDesk(first), PaymentDesk(second))
        yield Workers(desks, Deeds(plain))


async def peopled(engine: AsyncEngine, wallets: int) -> tuple[Town, list[Resident], list[Shop]]:
    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(wallets)]
    for who in people:
        await town.grant(who, 20_000)
    return town, people, [await town.shop() for _ in range(3)]


def order_of(town: Town, dice: random.Random, who: Resident, shop: Shop) -> tuple[Deed, Order]:
    yen = dice.randint(1, 50)
    order: Order = PayStore(who.account_id, who.wallet.id, shop.code, yen)
    if dice.random() < 0.4:
        order = PayByCode(shop.clerk_id, shop.id, town.code_of(who), yen)
    return Deed(order.account_id, UUID(int=dice.getrandbits(128)), fingerprint("pay", order)), order


async def lunch(engine: AsyncEngine, workers: Workers, *, wallets: int, payments: int) -> None:
    """Everybody pays; then what was acknowledged is what is written, to the yen."""
    town, people, shops = await peopled(engine, wallets)
    acknowledged: dict[UUID, tuple[UUID, int]] = {}
    before = await scalar(engine, DEADLOCKS)

    async def client(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(payments // CLIENTS):
            who = dice.choice(people)
            deed, order = order_of(town, dice, who, dice.choice(shops))
            way = dice.randrange(3)
            ways = [way] if dice.random() >= AGAIN else [way, way, dice.randrange(3), 1 - way % 2]
            answers = await asyncio.gather(*(workers.send(each, deed, order) for each in ways))
            assert len({each.payment_id for each in answers}) == 1
            assert answers[0].payment_id not in acknowledged
            acknowledged[answers[0].payment_id] = (who.wallet.id, answers[0].amount_yen)

    await asyncio.gather(*(client(seed) for seed in range(CLIENTS)))
    assert len(acknowledged) == payments // CLIENTS * CLIENTS
    spent: dict[UUID, int] = {}
    for wallet_id, yen in acknowledged.values():
        spent[wallet_id] = spent.get(wallet_id, 0) + yen
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, wallet_id, amount_yen FROM payment"))).all()
        held = (await connection.execute(text(HELD))).all()
    assert {row[0]: (row[1], row[2]) for row in rows} == acknowledged
    assert {row[0]: row[1] for row in held} == {who.wallet.id: 20_000 - spent.get(who.wallet.id, 0) for who in people}
    assert await scalar(engine, DEADLOCKS) == before
    await town.must_prove()


async def test_two_workers_and_the_plain_path_are_exact_and_never_meet_in_a_deadlock(
    crowd: AsyncEngine, workers: Workers
) -> None:
    await lunch(crowd, workers, wallets=60, payments=1_280)


@pytest.mark.long
async def test_two_workers_and_the_plain_path_are_exact_on_two_hundred_wallets(
    crowd: AsyncEngine, workers: Workers
) -> None:
    await lunch(crowd, workers, wallets=200, payments=9_600)


async def beside_a_held_wallet(crowd: AsyncEngine, town: Town, people: list[Resident], shop: Shop) -> tuple[int, int]:
    """One wallet is held while a batch of all comes: how many are paid meanwhile, and how many in the end."""
    desk = PaymentDesk(town.database)
    orders = [PayStore(who.account_id, who.wallet.id, shop.code, 100) for who in people]
    async with crowd.connect() as holder:
        await holder.execute(select(WalletRow.id).where(WalletRow.id == people[0].wallet.id).with_for_update())
        deeds = [(Deed(order.account_id, uuid4(), fingerprint("pay", order)), order) for order in orders]
        paying = [asyncio.create_task(desk.perform(*each)) for each in deeds]
        await until_blocked(crowd, 1)
        meanwhile = sum(task.done() for task in paying)
        await holder.rollback()
    done = await asyncio.gather(*paying)
    return meanwhile, len(done)


async def test_what_somebody_else_holds_keeps_no_neighbour_waiting(crowd: AsyncEngine) -> None:
    town, people, shops = await peopled(crowd, 20)
    assert await beside_a_held_wallet(crowd, town, people, shops[0]) == (19, 20)
    await town.must_prove()


async def test_control_a_batch_that_skips_nothing_keeps_all_waiting_for_one_wallet(
    crowd: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    town, people, shops = await peopled(crowd, 20)
    waiting = at_speed.FUNCTIONS["pay_by_stores_code"].replace("CREATE", "CREATE OR REPLACE")
    async with migrator_engine.begin() as connection:
        await connection.execute(text(waiting.replace(" SKIP LOCKED", "")))
    assert await beside_a_held_wallet(crowd, town, people, shops[0]) == (0, 20)


Lock = Callable[[Tx, list[UUID]], Awaitable[object]]


async def crossing(engine: AsyncEngine, town: Town, people: list[Resident], locks: tuple[Lock, Lock]) -> int:
    """Two deeds come to lock three wallets while the middle one is held, then let go: how often a deed was begun."""
    wallet_ids = sorted(who.wallet.id for who in people)
    begun = []

    async def deed(tx: Tx, lock: Lock) -> None:
        begun.append(lock)
        await lock(tx, wallet_ids if lock is locks[0] else wallet_ids[::-1])

    async with engine.connect() as holder:
        await holder.execute(select(WalletRow.id).where(WalletRow.id == wallet_ids[1]).with_for_update())
        tasks = [asyncio.create_task(town.do(deed, lock)) for lock in locks]
        await until_blocked(engine, 2)
        await holder.rollback()
    await asyncio.gather(*tasks)
    return len(begun)


async def as_the_product_does(tx: Tx, wallet_ids: list[UUID]) -> object:
    return await access.lock_wallets(tx, wallet_ids)


async def as_asked(tx: Tx, wallet_ids: list[UUID]) -> object:
    """One statement as well, but in the order of asking."""
    place = func.array_position(literal(wallet_ids, ARRAY(Uuid())), WalletRow.id)
    query = select(WalletRow.id).where(WalletRow.id == any_of(wallet_ids)).order_by(place).with_for_update()
    return (await tx.connection.execute(query)).all()


async def test_wallets_are_locked_in_one_order_whatever_the_order_of_asking(crowd: AsyncEngine) -> None:
    town, people, _ = await peopled(crowd, 3)

    async def again(tx: Tx, wallet_ids: list[UUID]) -> object:
        return await as_the_product_does(tx, wallet_ids)

    assert await crossing(crowd, town, people, (as_the_product_does, again)) == 2


async def test_control_locked_in_the_order_of_asking_two_deeds_wait_in_a_ring(crowd: AsyncEngine) -> None:
    """PostgreSQL ends the ring by failing one of the two, which is begun once more."""
    town, people, _ = await peopled(crowd, 3)

    async def again(tx: Tx, wallet_ids: list[UUID]) -> object:
        return await as_asked(tx, wallet_ids)

    assert await crossing(crowd, town, people, (as_asked, again)) == 3


def test_the_order_is_asked_of_postgresql_and_not_left_to_its_plan() -> None:
    """Small tables are read in the order of writing, so that no race of a test would show a missing ORDER BY."""
    dialect: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
    for wait in (True, False):
        query: Any = access._locked_wallets(wait)
        written = str(query.compile(dialect=dialect))
        assert "ORDER BY wallet.id FOR UPDATE" in " ".join(written.split())
    for function in at_speed.FUNCTIONS.values():
        assert "ORDER BY id FOR UPDATE SKIP LOCKED" in " ".join(function.split())
