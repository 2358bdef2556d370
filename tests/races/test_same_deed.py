"""One deed sent many times at once is done once, in one process and across several."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from services.kit import tables
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.deeds import Deed, DeedIdReused, DeedInProgress, Deeds, Done, fingerprint
from services.kit.ids import SeededEntropy
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.payments.payment import Receipt
from tests.races.contest import at_once, closed_gate, drop_constraints, lined_up, scalar
from tests.town import Resident, Shop, Town

PAYMENTS = "SELECT count(*) FROM payment"
PROCESSES = 8


@pytest.fixture
async def processes(database: DatabaseHandle) -> AsyncIterator[list[Deeds]]:
    """As many processes as the test plays: each with its own pool and its own memory of what runs."""
    async with AsyncExitStack() as stack:
        found = []
        for number in range(PROCESSES):
            engine = database.app_engine(pool_size=4, limits=JOBS)
            stack.push_async_callback(engine.dispose)
            found.append(Deeds(Database(engine, SetClock(Town(engine).clock.now()), SeededEntropy(100 + number))))
        yield found


async def peopled(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


def paying(who: Resident, shop: Shop, yen: int, key: UUID) -> tuple[Deed, PayStore]:
    """A payment whose own rules would allow it many times: only its id makes it one."""
    command = PayStore(who.account_id, who.wallet.id, shop.code, yen)
    return Deed(who.account_id, key, fingerprint("pay_store", command)), command


async def test_control_check_then_insert_does_one_request_many_times(
    database: DatabaseHandle, crowd: AsyncEngine
) -> None:
    engine = database.migrator_engine(pool_size=24, limits=JOBS)
    database_of_owner = Database(engine, SetClock(Town(crowd).clock.now()), SeededEntropy(1))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE naive (key uuid)"))
    key = uuid4()
    async with closed_gate(crowd) as (gate, open_gate):

        async def naive(tx: Tx, _: None) -> bool:
            found = await tx.connection.execute(text("SELECT count(*) FROM naive WHERE key = :key"), {"key": key})
            known = found.scalar_one()
            await gate.pass_through(tx)
            if not known:
                await tx.connection.execute(text("INSERT INTO naive VALUES (:key)"), {"key": key})
            return not known

        calls = [database_of_owner.transact(naive, None) for _ in range(20)]
        done, _ = await lined_up(crowd, gate, open_gate, calls)
    assert done == [True] * 20
    await engine.dispose()


async def test_control_without_the_key_the_product_pays_once_a_process(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, processes: list[Deeds], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, who, shop = await peopled(crowd)
    await drop_constraints(migrator_engine, ("deed", "pk_deed"))

    async def blind(*_: Any) -> tuple[bool, None, None]:
        return True, None, None

    monkeypatch.setattr(tables, "claim_deed", blind)
    deed, command = paying(who, shop, 10, uuid4())
    await at_once(each.perform(deed, pay_store, command, Receipt) for each in processes)
    assert await scalar(crowd, PAYMENTS) == PROCESSES


async def test_the_same_payment_64_times_at_once_in_one_process_is_one_payment(crowd: AsyncEngine) -> None:
    town, who, shop = await peopled(crowd)
    deeds = Deeds(town.database)
    command = PayByCode(shop.clerk_id, shop.id, town.code_of(who), 1_000)
    deed = Deed(shop.clerk_id, uuid4(), fingerprint("pay_by_code", command))
    done, refused = await at_once(deeds.perform(deed, pay_by_code, command, Receipt) for _ in range(64))
    assert refused == []
    assert Counter(each.replayed for each in done) == {False: 1, True: 63}
    assert len({each.result for each in done}) == 1
    assert await scalar(crowd, PAYMENTS) == 1
    assert await town.points(who) == 12_000
    await town.must_prove()


@pytest.mark.parametrize("way", ["pay code", "store code"])
async def test_the_same_payment_64_times_at_once_across_processes_is_one_payment(
    crowd: AsyncEngine, processes: list[Deeds], way: str
) -> None:
    town, who, shop = await peopled(crowd)
    command: Any = PayStore(who.account_id, who.wallet.id, shop.code, 1_000)
    use_case: Any = pay_store
    if way == "pay code":
        command, use_case = PayByCode(shop.clerk_id, shop.id, town.code_of(who), 1_000), pay_by_code
    deed = Deed(command.account_id, uuid4(), fingerprint("pay", command))
    calls = (each.perform(deed, use_case, command, Receipt) for each in processes for _ in range(8))
    done, refused = await at_once(calls)
    assert {type(each) for each in refused} <= {DeedInProgress}
    assert [each.replayed for each in done].count(False) == 1
    assert len({each.result for each in done}) == 1
    assert await scalar(crowd, PAYMENTS) == 1
    again, refused = await at_once(each.perform(deed, use_case, command, Receipt) for each in processes)
    assert refused == []
    assert again == [Done(done[0].result, replayed=True)] * PROCESSES
    assert await town.points(who) == 12_000
    await town.must_prove()


async def test_while_the_first_still_runs_the_others_are_told_so_and_nothing_is_done_twice(
    crowd: AsyncEngine, processes: list[Deeds]
) -> None:
    town, who, shop = await peopled(crowd)
    deed, command = paying(who, shop, 1_000, uuid4())
    async with closed_gate(crowd) as (gate, open_gate):
        held = gate.behind(pay_store)
        first, *others = processes
        running = first.perform(deed, held, command, Receipt)

        async def ask_then_open() -> None:
            await gate.until_full(1)
            done, refused = await at_once(each.perform(deed, pay_store, command, Receipt) for each in others)
            assert done == []
            assert [type(each) for each in refused] == [DeedInProgress] * len(others)
            await open_gate()

        (done, _), refused = await at_once([running, ask_then_open()])
    assert refused == []
    assert done is not None
    assert not done.replayed
    assert await scalar(crowd, PAYMENTS) == 1
    await town.must_prove()


async def test_one_id_for_two_payments_at_once_pays_one_of_them(crowd: AsyncEngine, processes: list[Deeds]) -> None:
    town, who, shop = await peopled(crowd)
    key, amounts = uuid4(), count(1)
    calls = []
    for each in processes:
        deed, command = paying(who, shop, next(amounts), key)
        calls.append(each.perform(deed, pay_store, command, Receipt))
    done, refused = await at_once(calls)
    assert len(done) == 1
    assert {type(each) for each in refused} <= {DeedIdReused, DeedInProgress}
    paid = done[0].result.amount_yen
    for each in processes:
        deed, command = paying(who, shop, paid + 1, key)
        with pytest.raises(DeedIdReused):
            await each.perform(deed, pay_store, command, Receipt)
    assert await scalar(crowd, PAYMENTS) == 1
    assert await town.points(who) == 13_000 - paid
    await town.must_prove()
