"""Above a sum a scanned code alone pays nothing: the customer's own phone is asked, and says yes or nothing."""

import json
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.payments.tap import TAP_ABOVE_YEN
from services.wallets.open import BlockDevice, block_device
from tests.http_town import Client, HttpTown, done, problem
from tests.town import Resident, Shop

LARGE = TAP_ABOVE_YEN + 1


class Scene:
    town: HttpTown
    who: Resident
    shop: Shop
    till: Client
    phone: Client

    async def scan(self, yen: int, code: str | None = None) -> Any:
        body = {"pay_code": code or self.town.code_of(self.who), "amount_yen": yen}
        return await self.till.command(f"/stores/{self.shop.id}/payments", body)

    async def ask(self, yen: int = LARGE, code: str | None = None, by: Client | None = None, **options: Any) -> Any:
        body = {"amount_yen": yen, "pay_code": code or self.town.code_of(self.who)}
        return await (by or self.till).command(f"/stores/{self.shop.id}/till-codes", body, **options)

    async def asked(self, phone: Client | None = None, who: Resident | None = None) -> list[dict[str, Any]]:
        """What a phone shows."""
        path = f"/wallets/{(who or self.who).wallet.id}/till-codes"
        found: list[dict[str, Any]] = done(await (phone or self.phone).get(path))["asked"]
        return found

    async def tap(self, number: str) -> Any:
        return await self.phone.command(f"/wallets/{self.who.wallet.id}/payments", {"code": number})

    async def nothing_changed(self) -> None:
        assert await self.town.points(self.who) == 13_000
        await self.town.must_prove()


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    made = Scene()
    made.town = town = HttpTown(engine)
    await town.programme()
    made.who, made.shop = await town.resident(), await town.shop()
    await town.buy(made.who)
    made.till, made.phone = town.as_clerk(made.shop), town.as_resident(made.who)
    return made


async def test_above_the_sum_a_scanned_code_alone_pays_nothing(scene: Scene) -> None:
    assert problem(await scene.scan(LARGE), 409, "tap_needed") == {"most_yen": TAP_ABOVE_YEN}
    await scene.nothing_changed()
    done(await scene.scan(TAP_ABOVE_YEN), 201)


async def test_the_phone_shows_store_and_sum_and_its_yes_pays(scene: Scene) -> None:
    code = scene.town.code_of(scene.who)
    problem(await scene.scan(LARGE, code), 409, "tap_needed")
    made = done(await scene.ask(code=code), 201)
    assert made["asks_phone"] is True
    [asked] = await scene.asked()
    assert (asked["store"]["code"], asked["amount_yen"], asked["code"]) == (scene.shop.code, LARGE, made["number"])
    receipt = done(await scene.tap(asked["code"]), 201)
    assert (receipt["amount_yen"], receipt["balance_after_yen"]) == (LARGE, 13_000 - LARGE)
    seen = done(await scene.till.get(f"/stores/{scene.shop.id}/till-codes/{made['id']}"))
    assert (seen["payment_id"], seen["asks_phone"]) == (receipt["payment_id"], True)
    assert await scene.asked() == []
    problem(await scene.tap(asked["code"]), 409, "till_code_used")
    await scene.town.must_prove()


async def test_nobody_elses_phone_sees_or_pays_it(scene: Scene) -> None:
    made = done(await scene.ask(), 201)
    other = await scene.town.resident()
    await scene.town.buy(other)
    theirs = scene.town.as_resident(other)
    assert await scene.asked(theirs, other) == []
    problem(await theirs.get(f"/wallets/{scene.who.wallet.id}/till-codes"), 404, "not_found")
    body = {"code": made["number"]}
    problem(await theirs.command(f"/wallets/{other.wallet.id}/payments", body), 404, "till_code_unknown")
    assert await scene.town.points(other) == 13_000
    await scene.nothing_changed()


async def test_the_store_never_learns_who_was_asked(scene: Scene) -> None:
    key = scene.town.new_key()
    made = done(await scene.ask(key=key), 201)
    told = [made, done(await scene.till.get(f"/stores/{scene.shop.id}/till-codes/{made['id']}"))]
    told += [done(await scene.till.get(f"/stores/{scene.shop.id}/deeds/{key}"))]
    for each in told:
        assert str(scene.who.wallet.id) not in json.dumps(each)


async def test_whoever_has_too_few_points_hears_that_first(scene: Scene) -> None:
    problem(await scene.scan(13_001), 409, "points_missing")
    await scene.nothing_changed()


async def test_a_code_that_would_pay_nothing_asks_nobody(scene: Scene) -> None:
    town, good = scene.town, scene.town.code_of(scene.who)
    problem(await scene.ask(code=good[:-6] + "AAAAAA"), 422, "pay_code_forged")
    problem(await scene.ask(code="no code"), 422, "pay_code_malformed")
    used = town.code_of(scene.who)
    done(await scene.scan(100, used), 201)
    problem(await scene.ask(code=used), 409, "pay_code_used")
    stranger = await town.shop()
    problem(await scene.ask(by=town.as_clerk(stranger)), 404, "not_found")
    town.wait(seconds=60)
    problem(await scene.ask(code=good), 422, "pay_code_expired")
    await town.do(block_device, BlockDevice(scene.who.wallet.id, scene.who.account_id, scene.who.device.id))
    problem(await scene.ask(), 403, "device_blocked")
    assert await scene.asked() == []


async def test_what_was_not_said_yes_to_in_time_is_over(scene: Scene) -> None:
    made = done(await scene.ask(), 201)
    scene.town.wait(minutes=5)
    scene.phone = scene.town.as_resident(scene.who)
    assert await scene.asked() == []
    problem(await scene.tap(made["number"]), 409, "till_code_expired")
    await scene.nothing_changed()


async def test_the_operators_sum_counts(engine: AsyncEngine, scene: Scene) -> None:
    careful = HttpTown(engine, tap_above_yen=5_000)
    clerk = careful.as_clerk(scene.shop)
    body = {"pay_code": scene.town.code_of(scene.who), "amount_yen": 5_001}
    answer = await clerk.command(f"/stores/{scene.shop.id}/payments", body)
    assert problem(answer, 409, "tap_needed") == {"most_yen": 5_000}
