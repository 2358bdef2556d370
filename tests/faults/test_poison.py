"""One payment that cannot be made harms none of those that are posted with it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from services.payments.till import MakeTillCode, make_till_code
from tests.faults.posting import Posting
from tests.http_town import HttpTown, done, problem
from tests.town import Resident, Shop

NEIGHBOURS = 4

POISONED_TRIGGER = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.store_id = '{store}' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$;
CREATE TRIGGER poison BEFORE INSERT ON payment FOR EACH ROW EXECUTE FUNCTION poison();
"""
POISONED_CHECK = "ALTER TABLE payment ADD CONSTRAINT ck_payment_poison CHECK (store_id <> '{store}') NOT VALID"
CURES = {
    POISONED_TRIGGER: "DROP TRIGGER poison ON payment; DROP FUNCTION poison()",
    POISONED_CHECK: "ALTER TABLE payment DROP CONSTRAINT ck_payment_poison",
}


@dataclass
class Market:
    """Residents who can pay, and the shop where they do."""

    town: HttpTown
    shop: Shop
    crowd: list[Resident]
    monkeypatch: pytest.MonkeyPatch

    async def pay(self, who: Resident, yen: int = 500, *, code: str | None = None, **options: Any) -> httpx.Response:
        body = {"code": code or self.shop.code, "amount_yen": yen}
        async with self.town.as_resident(who) as client:
            return await client.command(f"/wallets/{options.pop('wallet', who.wallet.id)}/payments", body, **options)

    async def take(self, pay_code: str) -> httpx.Response:
        async with self.town.as_clerk(self.shop) as client:
            return await client.command(f"/stores/{self.shop.id}/payments", {"pay_code": pay_code, "amount_yen": 500})

    async def with_neighbours(self, *poisoned: Any) -> tuple[list[httpx.Response], list[int]]:
        """What the poisoned ones were answered, posted among neighbours who all paid; and how many the short cut
        and the plain path were given each time."""
        first, *others = self.crowd[: NEIGHBOURS + 1]
        posting = Posting(self.town, self.monkeypatch)
        half = NEIGHBOURS // 2
        calls = [*map(self.pay, others[:half]), *poisoned, *map(self.pay, others[half:])]
        answers = await posting.together(self.pay(first), calls)
        for answer in [*answers[:half], *answers[half + len(poisoned) :]]:
            assert done(answer, 201)["amount_yen"] == 500
        for who in [first, *others]:
            assert await self.town.points(who) == 12_500
        return answers[half : half + len(poisoned)], posting.sizes


@pytest.fixture
async def market(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> Market:
    town = HttpTown(engine)
    await town.programme()
    crowd = [await town.resident() for _ in range(NEIGHBOURS + 3)]
    for who in crowd:
        await town.buy(who)
    return Market(town, await town.shop(), crowd, monkeypatch)


async def test_a_wallet_that_does_not_exist(market: Market) -> None:
    [answer], sizes = await market.with_neighbours(market.pay(market.crowd[-1], wallet=UUID(int=7)))
    problem(answer, 404, "not_found")
    assert sizes == [1, NEIGHBOURS + 1, 1]
    await market.town.must_prove()


async def test_more_than_any_wallet_holds(market: Market) -> None:
    [answer], sizes = await market.with_neighbours(market.pay(market.crowd[-1], 9_999_999_999))
    assert answer.status_code == 409
    assert answer.json()["code"] in {"points_missing", "payment_limit_reached"}
    assert sizes == [1, NEIGHBOURS + 1, 1]
    assert await market.town.points(market.crowd[-1]) == 13_000
    await market.town.must_prove()


@pytest.mark.parametrize("amount", ["9" * 20, "1e20", "9999999999999", "-1", "true", '"500"', "0"])
async def test_an_amount_that_is_none_reaches_no_batch(market: Market, amount: str) -> None:
    who = market.crowd[-1]
    body = f'{{"code":"{market.shop.code}","amount_yen":{amount}}}'
    async with market.town.as_resident(who) as client:
        path, headers = f"/wallets/{who.wallet.id}/payments", {"content-type": "application/json"}
        answer = await client.command(path, content=body, headers=headers)
    problem(answer, 422, "invalid_request")
    [refused], sizes = await market.with_neighbours(market.pay(who, 13_001))
    problem(refused, 409, "points_missing")
    assert sizes == [1, NEIGHBOURS + 1, 1]
    await market.town.must_prove()


async def test_a_forged_code_and_one_that_is_shown_twice(market: Market) -> None:
    town, forger, twice = market.town, market.crowd[-1], market.crowd[-2]
    forged = SandboxPhone(bytes(32)).pay_code(forger.wallet.id, forger.device.id, town.clock.now(), UUID(int=9))
    shown = town.code_of(twice)
    answers, sizes = await market.with_neighbours(market.take(forged), market.take(shown), market.take(shown))
    problem(answers[0], 422, "pay_code_forged")
    assert sorted(answer.status_code for answer in answers[1:]) == [201, 409]
    problem(next(answer for answer in answers[1:] if answer.status_code == 409), 409, "pay_code_used")
    assert sizes[:2] == [1, NEIGHBOURS + 2]
    assert (await town.points(forger), await town.points(twice)) == (13_000, 12_500)
    await town.must_prove()


async def test_a_registers_code_that_two_residents_read(market: Market) -> None:
    town, readers = market.town, market.crowd[-2:]
    made = await town.do(make_till_code, MakeTillCode(market.shop.clerk_id, market.shop.id, 770))
    answers, sizes = await market.with_neighbours(*(market.pay(who, 770, code=made.code.number) for who in readers))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    problem(next(answer for answer in answers if answer.status_code == 409), 409, "till_code_used")
    assert sorted([await town.points(who) for who in readers]) == [12_230, 13_000]
    assert sizes == [1, NEIGHBOURS + 1, 1, 1, 1]  # the second reader comes after the first, alone
    await town.must_prove()


async def test_a_day_whose_limit_is_reached(market: Market, migrator_engine: AsyncEngine) -> None:
    who = market.crowd[-1]
    done(await market.pay(who, 1), 201)

    async def count(statement: str) -> None:
        async with migrator_engine.begin() as connection:
            changed = await connection.execute(text(statement), {"wallet": who.wallet.id})
            assert changed.rowcount == 1

    await count("UPDATE spent_today SET spent_yen = limit_yen WHERE wallet_id = :wallet")
    [answer], sizes = await market.with_neighbours(market.pay(who))
    assert problem(answer, 409, "day_limit_reached")["left_yen"] == 0
    assert sizes == [1, NEIGHBOURS + 1, 1]
    assert await market.town.points(who) == 12_999
    await count("UPDATE spent_today SET spent_yen = 1 WHERE wallet_id = :wallet")
    await market.town.must_prove()


@asynccontextmanager
async def poisoned(engine: AsyncEngine, poison: str, shop: Shop) -> AsyncIterator[None]:
    """The database refuses every payment to this store, in words that nobody foresaw."""
    async with engine.begin() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(poison.format(store=shop.id))
    yield
    async with engine.begin() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.execute(CURES[poison])


@pytest.mark.parametrize("poison", [POISONED_TRIGGER, POISONED_CHECK], ids=["trigger", "check"])
async def test_what_nobody_foresaw_is_our_fault_and_nobody_elses(
    market: Market, migrator_engine: AsyncEngine, poison: str, caplog: pytest.LogCaptureFixture
) -> None:
    town, who, key = market.town, market.crowd[-1], market.town.new_key()
    elsewhere = await town.shop()
    async with poisoned(migrator_engine, poison, elsewhere):
        [answer], sizes = await market.with_neighbours(market.pay(who, code=elsewhere.code, key=key))
    assert sizes == [1, NEIGHBOURS + 1, *[1] * (NEIGHBOURS + 1)]
    told = answer.json()
    assert (answer.status_code, told["code"]) == (500, "internal_error")
    assert told["params"] == {"error_id": answer.headers["x-request-id"]}
    assert "poison" not in json.dumps(told)
    assert answer.headers["x-request-id"] in caplog.text
    assert await town.points(who) == 13_000
    done(await market.pay(who, code=elsewhere.code, key=key), 201)  # its id was not burnt
    await town.must_prove()
