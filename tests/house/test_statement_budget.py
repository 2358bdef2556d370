"""A payment costs at most eight SQL statements, whichever way, whatever it takes from.

Counted on a new connection and with nothing compiled, because the first payment of a process
counts, too. BEGIN and COMMIT are counted apart: they are not statements of the deed.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import COMMON_ONLY
from services.campaigns.terms import Period
from services.kit.db import Database
from services.kit.deeds import Deed, Deeds, fingerprint
from services.payments.pay import PayByCode, PayStore, PayTill, pay_by_code, pay_store, pay_till
from services.payments.payment import Receipt
from services.payments.till import MakeTillCode, make_till_code
from tests.town import Resident, Shop, Town, town_terms

BUDGET = 8


class Counted:
    """What went over the wire, in order."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.frame: list[str] = []

    def report(self) -> str:
        shortened = [" ".join(each.split())[:160] for each in self.statements]
        listed = "\n".join(f"{number}. {each}" for number, each in enumerate(shortened, start=1))
        return f"{len(self.statements)} statements, frame {self.frame}:\n{listed}"


@contextmanager
def counting(engine: AsyncEngine) -> Iterator[Counted]:
    counted = Counted()

    def statement(*given: Any) -> None:
        counted.statements.append(given[2])

    def begin(_: Any) -> None:
        counted.frame.append("BEGIN")

    def commit(_: Any) -> None:
        counted.frame.append("COMMIT")

    listeners = (("before_cursor_execute", statement), ("begin", begin), ("commit", commit))
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    try:
        yield counted
    finally:
        for name, listener in listeners:
            event.remove(engine.sync_engine, name, listener)


Way = Callable[[Town, Resident, Shop, int], Awaitable[tuple[Callable[..., Any], Any]]]


async def by_code(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    return pay_by_code, PayByCode(shop.clerk_id, shop.id, town.code_of(who), yen)


async def by_store(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    return pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen)


async def by_till(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    made = await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))
    return pay_till, PayTill(who.account_id, who.wallet.id, made.code.number, None)


WAYS: dict[str, Way] = {"pay code": by_code, "store code": by_store, "register's code": by_till}


async def count_payment(
    database: DatabaseHandle, town: Town, way: Way, who: Resident, shop: Shop, yen: int
) -> tuple[Counted, Receipt]:
    """Pay on an engine of its own: new connections, empty caches, as in a process that has just started."""
    use_case, command = await way(town, who, shop, yen)
    engine = database.app_engine(pool_size=1)
    try:
        deeds = Deeds(Database(engine, town.clock, town.entropy))
        deed = Deed(command.account_id, uuid4(), fingerprint("pay", command))
        with counting(engine) as counted:
            done = await deeds.perform(deed, use_case, command, Receipt)
        assert not done.replayed
        return counted, done.result
    finally:
        await engine.dispose()


def within_budget(counted: Counted) -> None:
    assert len(counted.statements) <= BUDGET, counted.report()
    assert counted.frame == ["BEGIN", "COMMIT"], counted.report()


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_a_payment_costs_at_most_eight_statements(
    database: DatabaseHandle, engine: AsyncEngine, way: str
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, 100)
    assert len(receipt.parts) == 1
    within_budget(counted)


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_two_purses_cost_no_more_than_one(database: DatabaseHandle, engine: AsyncEngine, way: str) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, 5_001)
    assert len(receipt.parts) == 2
    within_budget(counted)


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_two_programmes_and_nine_lots_cost_no_more(
    database: DatabaseHandle, engine: AsyncEngine, way: str
) -> None:
    town = Town(engine)
    await town.programme(
        town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 6, 30))), code="moonlight"
    )
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    for _ in range(3):
        await town.buy(who, code="moonlight")
        await town.buy(who)
    everything = await town.points(who)
    assert everything == 3 * 26_000
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, everything)
    assert len(receipt.parts) == 9
    assert len({part.programme_id for part in receipt.parts}) == 2
    within_budget(counted)
    await town.must_prove()


async def test_a_repeated_request_costs_one_look(database: DatabaseHandle, engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    use_case, command = await by_code(town, who, shop, 100)
    deed = Deed(command.account_id, uuid4(), fingerprint("pay", command))
    deeds = Deeds(town.database)
    await deeds.perform(deed, use_case, command, Receipt)
    with counting(engine) as counted:
        assert (await deeds.perform(deed, use_case, command, Receipt)).replayed
    assert len(counted.statements) == 1, counted.report()


def test_the_report_names_every_statement() -> None:
    counted = Counted()
    counted.statements += ["SELECT\n  1", "SELECT 2"]
    assert counted.report() == "2 statements, frame []:\n1. SELECT 1\n2. SELECT 2"
