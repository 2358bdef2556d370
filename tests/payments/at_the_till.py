"""One programme, one payer, one store, and the three ways to pay: what the tests of payments start from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.errors import Refusal
from services.payments.order import PayByCode, PayStore, PayTill
from services.payments.pay import pay_by_code, pay_store, pay_till
from services.payments.payment import (
    Receipt,
)
from services.payments.till import MakeTillCode, make_till_code
from tests.factories.rows import unchanged
from tests.town import Resident, Shop, Town, town_terms


async def mini_town(engine: AsyncEngine, **changes: Any) -> tuple[Town, Resident, Shop]:
    """One programme, one resident with a unit of it (8,000 common, 5,000 small), one small store."""
    town = Town(engine)
    await town.programme(replace(town_terms(), **changes))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def till_code(town: Town, shop: Shop, yen: int) -> str:
    return (await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))).code.number


async def pay_at_till(town: Town, who: Resident, code: str, yen: int | None = None) -> Receipt:
    return await town.do(pay_till, PayTill(who.account_id, who.wallet.id, code, yen))


async def pay_three_ways(town: Town, who: Resident, shop: Shop, yen: int) -> list[Receipt]:
    return [
        await town.pay(who, shop, yen),
        await town.pay_store(who, shop, yen),
        await pay_at_till(town, who, await till_code(town, shop, yen)),
    ]


async def refused_all_ways(town: Town, who: Resident, shop: Shop, yen: int, refusal: type[Refusal]) -> list[Refusal]:
    """Each way to pay refuses with the same word, and no row of any table changes."""
    code, till = town.code_of(who), await till_code(town, shop, yen)
    ways: list[tuple[Callable[..., Any], object]] = [
        (pay_by_code, PayByCode(shop.clerk_id, shop.id, code, yen)),
        (pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen)),
        (pay_till, PayTill(who.account_id, who.wallet.id, till, None)),
    ]
    found = []
    async with unchanged(town.database.engine):
        for use_case, command in ways:
            with pytest.raises(refusal) as caught:
                await town.do(use_case, command)
            found.append(caught.value)
    return found
