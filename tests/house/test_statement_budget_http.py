"""A payment over HTTP costs at most eight SQL statements, with everything that the request needs.

A plain one costs one, which is a function that holds two and needs no transaction around it.
"""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import AccountStatus
from services.identity.staff import SetAccountStatus, set_account_status
from tests.house.counting import counting
from tests.http_town import HttpTown, done, problem
from tests.town import OFFICER

BUDGET = 8


KEY_OF_A_PHONE = 1
"""The first code of a phone in a process: its key is read beforehand, for all phones that wait, and remembered."""


@pytest.mark.parametrize("way", ["code", "store", "till"])
async def test_a_payment_over_http_costs_at_most_eight_statements(engine: AsyncEngine, way: str) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    clerk, resident = town.as_clerk(shop), town.as_resident(who)
    tills = [done(await clerk.command(f"/stores/{shop.id}/till-codes", {"amount_yen": 700}), 201) for _ in range(2)]
    await engine.dispose()  # the first payment of a process counts, too
    for till, beforehand in zip(tills, (KEY_OF_A_PHONE if way == "code" else 0, 0), strict=True):
        async with counting(engine) as counted:
            if way == "code":
                body = {"pay_code": town.code_of(who), "amount_yen": 700}
                done(await clerk.command(f"/stores/{shop.id}/payments", body), 201)
            else:
                body = {"code": till["number"]} if way == "till" else {"code": shop.code, "amount_yen": 700}
                done(await resident.command(f"/wallets/{who.wallet.id}/payments", body), 201)
        assert beforehand < len(counted.statements) <= (BUDGET if way == "till" else 1) + beforehand, counted.report()
        assert counted.frame == (["BEGIN", "COMMIT"] if way == "till" else []), counted.report()
    await town.must_prove()


async def test_a_disabled_clerk_takes_no_payment_though_the_token_lives(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    clerk = town.as_clerk(shop)
    command = SetAccountStatus(OFFICER, shop.clerk_id, AccountStatus.DISABLED, "left")
    await town.do(set_account_status, command)
    body = {"pay_code": town.code_of(who), "amount_yen": 700}
    problem(await clerk.command(f"/stores/{shop.id}/payments", body), 404, "not_found")
    assert await town.points(who) == 13_000
    await town.must_prove()
