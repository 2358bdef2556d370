"""One pay code at two stores, one register's code for two residents, at the same time: each pays once."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.payments.order import PayByCode, PayTill
from services.payments.pay import pay_by_code, pay_till
from services.payments.payment import PayCodeUsed, TillCodeUsed
from services.payments.tables import reading
from services.payments.till import MakeTillCode, make_till_code
from tests.races.contest import at_once, closed_gate, drop_constraints, lined_up, scalar
from tests.town import Resident, Shop, Town

PAYMENTS = "SELECT count(*) FROM payment"
STORES, PEOPLE = 12, 12


async def town_with(engine: AsyncEngine, people: int, stores: int) -> tuple[Town, list[Resident], list[Shop]]:
    town = Town(engine)
    await town.programme()
    residents = [await town.resident() for _ in range(people)]
    for who in residents:
        await town.buy(who)
    return town, residents, [await town.shop() for _ in range(stores)]


def blind_to_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether a code has paid already."""
    real = reading.counters

    async def counters(*given: Any) -> list[Any]:
        return [each and replace(each, used=False) for each in await real(*given)]

    monkeypatch.setattr(reading, "counters", counters)


async def test_control_without_its_key_and_the_look_one_pay_code_pays_at_every_store(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, [who], shops = await town_with(crowd, 1, STORES)
    await drop_constraints(migrator_engine, ("code_use", "pk_code_use"))
    blind_to_uses(monkeypatch)
    code = town.code_of(who)
    await at_once(town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 100)) for shop in shops)
    assert await scalar(crowd, PAYMENTS) == STORES


async def pay_everywhere_at_once(crowd: AsyncEngine) -> None:
    """One code at many stores: one is paid, the others hear that the code is used up."""
    town, [who], shops = await town_with(crowd, 1, STORES)
    code = town.code_of(who)
    done, refused = await at_once(town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 100)) for shop in shops)
    assert len(done) == 1
    assert Counter(type(each) for each in refused) == {PayCodeUsed: STORES - 1}
    assert await scalar(crowd, PAYMENTS) == 1
    assert await town.points(who) == 12_900
    await town.must_prove()


async def test_one_pay_code_at_many_stores_at_once_pays_one_of_them(crowd: AsyncEngine) -> None:
    await pay_everywhere_at_once(crowd)


async def test_its_key_alone_lets_a_pay_code_pay_once(crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    blind_to_uses(monkeypatch)
    await pay_everywhere_at_once(crowd)


async def register(town: Town, shop: Shop) -> str:
    return (await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, 700))).code.number


async def test_control_without_its_key_a_registers_code_that_is_looked_at_first_is_paid_by_everybody(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, people, [shop] = await town_with(crowd, PEOPLE, 1)
    code = await register(town, shop)
    await drop_constraints(migrator_engine, ("code_use", "pk_code_use"))
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, reading, "counters")
        calls = [town.do(pay_till, PayTill(who.account_id, who.wallet.id, code, None)) for who in people]
        done, _ = await lined_up(crowd, gate, open_gate, calls)
    assert len(done) == PEOPLE == await scalar(crowd, PAYMENTS)
    assert not (await town.proof()).clean


@pytest.mark.parametrize("looked_first", [False, True], ids=["as they come", "all have looked"])
async def test_a_registers_code_is_paid_by_one_of_many_residents(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch, looked_first: bool
) -> None:
    town, people, [shop] = await town_with(crowd, PEOPLE, 1)
    code = await register(town, shop)
    calls = [town.do(pay_till, PayTill(who.account_id, who.wallet.id, code, None)) for who in people]
    if looked_first:
        async with closed_gate(crowd) as (gate, open_gate):
            gate.after(monkeypatch, reading, "counters")
            done, refused = await lined_up(crowd, gate, open_gate, calls)
    else:
        done, refused = await at_once(calls)
    assert len(done) == 1
    assert Counter(type(each) for each in refused) == {TillCodeUsed: PEOPLE - 1}
    assert sorted([await town.points(who) for who in people]) == [12_300, *[13_000] * (PEOPLE - 1)]
    await town.must_prove()
