"""Take payments over HTTP: bad codes and amounts are problems, and a store never sees who paid."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.wallets.open import BlockDevice, SetWalletStatus, block_device, set_wallet_status
from tests.http_town import Client, HttpTown, done, problem
from tests.town import OFFICER, Resident, Shop


class Scene:
    town: HttpTown
    who: Resident
    shop: Shop
    client: Client

    @property
    def path(self) -> str:
        return f"/stores/{self.shop.id}/payments"

    async def take(self, amount_yen: Any = 500, code: str | None = None, **options: Any) -> Any:
        body = {"pay_code": code or self.town.code_of(self.who), "amount_yen": amount_yen}
        return await self.client.command(self.path, body, **options)

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
    made.client = town.as_clerk(made.shop)
    return made


async def test_a_code_pays_and_the_day_adds_up(scene: Scene) -> None:
    receipt = done(await scene.take(1_000), 201)
    path = f"{scene.path}/{receipt['payment_id']}"
    [line] = done(await scene.client.get(scene.path))["payments"]
    assert (line["number"], line["amount_yen"], line["returned_yen"]) == (receipt["number"], 1_000, 0)
    back = done(await scene.client.command(f"{path}/refunds", {"amount_yen": 300, "reason": "返品"}), 201)
    assert (back["kind"], back["amount_yen"], back["left_yen"]) == ("refund", 300, 700)
    found = done(await scene.client.get(path))
    assert (found["returned_yen"], [each["amount_yen"] for each in found["returns"]]) == (300, [300])
    totals = done(await scene.client.get(f"/stores/{scene.shop.id}/totals", params={"day": "2026-04-06"}))
    assert totals == {
        "day": "2026-04-06",
        "payments": 1,
        "paid_yen": 1_000,
        "cancels": 0,
        "cancelled_yen": 0,
        "refunds": 1,
        "refunded_yen": 300,
    }
    yesterday = await scene.client.get(scene.path, params={"day": "2026-04-05"})
    assert done(yesterday)["payments"] == []
    await scene.town.must_prove()


async def test_a_store_never_sees_who_paid(scene: Scene) -> None:
    key = scene.town.new_key()
    receipt = done(await scene.take(1_000, key=key), 201)
    done(await scene.client.command(f"/stores/{scene.shop.id}/till-codes", {"amount_yen": 7}), 201)
    kept = await scene.client.get(f"/stores/{scene.shop.id}/deeds/{key}")
    assert done(kept)["result"]["number"] == receipt["number"]
    answers = [
        json.dumps(receipt),
        kept.text,
        (await scene.client.get(scene.path)).text,
        (await scene.client.get(f"{scene.path}/{receipt['payment_id']}")).text,
    ]
    async with scene.town.database.begin() as tx:
        stored = await tx.connection.exec_driver_sql("SELECT result::text FROM deed")
        answers += [text for (text,) in stored if str(scene.shop.id) in text or receipt["payment_id"] in text]
    who = scene.who
    for secret in (who.account_id, who.person_id, who.wallet.id, who.wallet.number, who.device.id, "12000", "lot"):
        assert not any(str(secret) in answer for answer in answers), secret


BAD_AMOUNTS = [
    "0",
    "-1",
    "0.5",
    "1.0",
    "1e3",
    "true",
    '"10"',
    "null",
    "12345678901234567890",
    "[1]",
    "{}",
]


async def test_no_other_amount_than_whole_yen_is_taken(scene: Scene, subtests: pytest.Subtests) -> None:
    for amount in BAD_AMOUNTS:
        with subtests.test(amount=amount):
            code = json.dumps(scene.town.code_of(scene.who))
            content = f'{{"pay_code": {code}, "amount_yen": {amount}}}'
            answer = await scene.client.command(
                scene.path, content=content, headers={"content-type": "application/json"}
            )
            [field] = problem(answer, 422, "invalid_request")["fields"]
            assert field["location"] == "body.amount_yen"
            await scene.nothing_changed()


async def test_a_code_lives_a_minute_and_works_once(scene: Scene) -> None:
    code = scene.town.code_of(scene.who)
    done(await scene.take(1, code), 201)
    problem(await scene.take(1, code), 409, "pay_code_used")
    late = scene.town.code_of(scene.who)
    scene.town.wait(seconds=60)
    assert problem(await scene.take(1, late), 422, "pay_code_expired")["age_seconds"] == 60


async def test_a_phone_two_minutes_off_is_told(scene: Scene) -> None:
    for minutes, code in ((2, "pay_code_clock"), (-4, "pay_code_expired")):
        scene.town.wait(minutes=minutes)
        made = scene.town.code_of(scene.who)
        scene.town.wait(minutes=-minutes)
        problem(await scene.take(1, made), 422, code)
    await scene.nothing_changed()


async def test_a_forged_unknown_or_foreign_code_is_refused(scene: Scene) -> None:
    town, who = scene.town, scene.who
    thief = SandboxPhone(bytes(32))
    now, wallet, device = town.clock.now(), who.wallet.id, who.device.id
    good = town.code_of(who)
    for code, status, name in (
        (thief.pay_code(wallet, device, now, uuid4()), 422, "pay_code_forged"),
        (who.phone.pay_code(wallet, UUID(int=5), now, uuid4()), 422, "device_unknown"),
        (who.phone.pay_code(UUID(int=5), device, now, uuid4()), 404, "not_found"),
        (good[:-8] + "AAAAAAAA", 422, "pay_code_forged"),
        (good.replace(".", "", 1), 422, "pay_code_malformed"),
        ("https://qr.paypay.ne.jp/abc", 422, "pay_code_malformed"),
        (scene.shop.code, 422, "pay_code_malformed"),
        ("x" * 1_025, 422, "invalid_request"),
        ("\u0000", 422, "invalid_request"),
    ):
        problem(await scene.take(1, code), status, name)
    await scene.nothing_changed()


async def test_suspension_and_blocking_hold_at_once(scene: Scene) -> None:
    town, who = scene.town, scene.who
    await town.do(set_store_status, SetStoreStatus(OFFICER, scene.shop.id, Status.SUSPENDED, "a check"))
    problem(await scene.take(), 403, "store_suspended")
    problem(
        await scene.client.command(f"/stores/{scene.shop.id}/till-codes", {"amount_yen": 1}),
        403,
        "store_suspended",
    )
    await town.do(set_store_status, SetStoreStatus(OFFICER, scene.shop.id, Status.ACTIVE, "all well"))
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "lost", OFFICER))
    problem(await scene.take(), 403, "wallet_suspended")
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "active", "found", OFFICER))
    await town.do(block_device, BlockDevice(who.wallet.id, who.account_id, who.device.id))
    problem(await scene.take(), 403, "device_blocked")
    await scene.nothing_changed()


async def test_a_payment_above_the_balance_is_refused_and_burns_no_code(scene: Scene) -> None:
    code = scene.town.code_of(scene.who)
    assert problem(await scene.take(13_001, code), 409, "points_missing")["missing_yen"] == 1
    done(await scene.take(10_000, code), 201)


async def test_cancels_and_refunds_keep_their_rules(scene: Scene) -> None:
    first, second = [done(await scene.take(1_000), 201)["payment_id"] for _ in range(2)]
    refunds = f"{scene.path}/{first}/refunds"
    for amount in (0, -1, 1.5, True, "10", 10**20):
        wrong: dict[str, Any] = {"amount_yen": amount, "reason": "r"}
        problem(await scene.client.command(refunds, wrong), 422, "invalid_request")
    for reason in ("", " \n", "x" * 501, None, 5):
        wrong = {"amount_yen": 1, "reason": reason}
        problem(await scene.client.command(refunds, wrong), 422, "invalid_request")
    too_much = {"amount_yen": 1_001, "reason": "r"}
    assert problem(await scene.client.command(refunds, too_much), 409, "refund_too_much")["left_yen"] == 1_000
    done(await scene.client.command(refunds, {"amount_yen": 1, "reason": "r"}), 201)
    cancel = {"reason": "mistyped"}
    problem(await scene.client.command(f"{scene.path}/{first}/cancel", cancel), 409, "nothing_to_cancel")
    scene.town.wait(days=1)
    scene.client = scene.town.as_clerk(scene.shop)
    problem(await scene.client.command(f"{scene.path}/{second}/cancel", cancel), 409, "cancel_too_late")
    await scene.town.must_prove()


async def test_another_store_does_not_exist(scene: Scene) -> None:
    receipt = done(await scene.take(1_000), 201)
    other = scene.town.as_clerk(await scene.town.shop())
    path = f"{scene.path}/{receipt['payment_id']}"
    problem(
        await other.command(scene.path, {"pay_code": scene.town.code_of(scene.who), "amount_yen": 1}), 404, "not_found"
    )
    problem(await other.command(f"{path}/cancel", {"reason": "r"}), 404, "not_found")
    for place in (scene.path, path, f"/stores/{scene.shop.id}", f"/stores/{scene.shop.id}/totals"):
        problem(await other.get(place), 404, "not_found")
    for place in ("qr.svg", "qr.png", "emvco", "sticker.svg", "statements", f"till-codes/{uuid4()}"):
        problem(await other.get(f"/stores/{scene.shop.id}/{place}"), 404, "not_found")


BAD_DAYS = ["today", "2026-13-01", "20260406", "1775444400", "2026-04-06T00:00", ""]


async def test_a_day_is_a_date(scene: Scene, subtests: pytest.Subtests) -> None:
    for day in BAD_DAYS:
        with subtests.test(day=day):
            problem(await scene.client.get(scene.path, params={"day": day}), 422, "invalid_request")
