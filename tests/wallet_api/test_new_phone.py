"""A new phone pays small sums for a day; the old one, its codes and everybody's balance are as they were."""

import re
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from services.payments.order import PayByCode
from services.payments.pay import pay_by_code
from services.wallets.wallet import NEVER_LIMITED_YEN, NewPhoneLimit
from tests.http_town import WALLET, Client, HttpTown, done, problem
from tests.town import Shop

PHONE = "090-7777-1111"
LIMIT = 10_000


class Scene:
    """Somebody who moved in by HTTP and bought 39,000 points, and a shop."""

    def __init__(self, town: HttpTown, shop: Shop) -> None:
        self.town = town
        self.shop = shop
        self.wallet = ""

    async def sign_in(self, **more: str) -> tuple[Client, str]:
        """By a one-time code, on whatever phone; the client and its refresh token."""
        public = self.town.client(WALLET)
        self.town.wait(minutes=1)
        asked = done(await public.post("/sign-in/codes", json={"phone": PHONE}), 202)
        code = re.search(r"\d{6}", self.town.built.outbox.messages()[0].text)
        assert code
        body = {"attempt_id": asked["attempt_id"], "code": code[0]} | more
        entered = done(await public.post("/sign-in", json=body))
        self.wallet = entered["wallets"][0]["id"]
        return self.town.client(WALLET, entered["access_token"]), entered["refresh_token"]

    async def register(self, client: Client) -> tuple[SandboxPhone, UUID]:
        phone = SandboxPhone(self.town.entropy.take(32))
        body = {"name": "phone", "public_jwk": phone.public_jwk()}
        made = done(await client.command(f"/wallets/{self.wallet}/devices", body), 201)
        return phone, UUID(made["id"])

    async def buy(self, client: Client) -> None:
        body = {"programme": "starlight", "units": 3}
        bought = done(await client.command(f"/wallets/{self.wallet}/purchases", body), 201)
        await self.town.client("").post(f"{bought['checkout_url']}/pay")

    async def by_store_code(self, client: Client, yen: int) -> int:
        body = {"code": self.shop.code, "amount_yen": yen}
        answer = await client.command(f"/wallets/{self.wallet}/payments", body)
        if answer.status_code == 409:
            assert problem(answer, 409, "new_phone_limit") == {"limit_yen": LIMIT}
        return answer.status_code

    async def by_pay_code(self, phone: tuple[SandboxPhone, UUID], yen: int) -> bool:
        """Whether the clerk was paid by the phone's code."""
        now, jti = self.town.clock.now(), UUID(bytes=self.town.entropy.take(16), version=4)
        code = phone[0].pay_code(UUID(self.wallet), phone[1], now, jti)
        try:
            await self.town.do(pay_by_code, PayByCode(self.shop.clerk_id, self.shop.id, code, yen))
        except NewPhoneLimit:
            return False
        return True


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    town = HttpTown(engine)
    await town.programme()
    return Scene(town, await town.shop())


async def test_a_new_phone_pays_small_sums_for_a_day_and_then_any(scene: Scene) -> None:
    first, _ = await scene.sign_in()
    old = await scene.register(first)
    await scene.buy(first)
    client, _ = await scene.sign_in()
    new = await scene.register(client)
    assert await scene.by_store_code(client, LIMIT + 1) == 409
    assert not await scene.by_pay_code(new, LIMIT + 1)
    assert await scene.by_pay_code(new, LIMIT)
    assert await scene.by_pay_code(old, LIMIT + 1), "the old phone's own codes are as they were"
    scene.town.wait(hours=24)
    assert await scene.by_pay_code(new, LIMIT + 1)
    await scene.town.must_prove()


async def test_the_first_phone_of_an_account_is_not_limited(scene: Scene) -> None:
    client, _ = await scene.sign_in()
    phone = await scene.register(client)
    await scene.buy(client)
    assert await scene.by_store_code(client, LIMIT + 1) == 201
    assert await scene.by_pay_code(phone, LIMIT + 1)


async def test_a_client_that_was_here_before_is_no_new_phone(scene: Scene) -> None:
    """Nor is a key that it makes anew; a token of somebody else's vouches for nobody."""
    client, token = await scene.sign_in()
    await scene.buy(client)
    again, _ = await scene.sign_in(earlier_refresh_token=token)
    renewed = await scene.register(again)
    assert await scene.by_pay_code(renewed, LIMIT + 1)
    stranger, _ = await scene.sign_in(earlier_refresh_token="AAAA")
    assert await scene.by_store_code(stranger, LIMIT + 1) == 409


async def test_ending_the_new_phones_session_lifts_the_limit_on_store_codes(scene: Scene) -> None:
    first, _ = await scene.sign_in()
    await scene.buy(first)
    thief, _ = await scene.sign_in()
    assert await scene.by_store_code(first, LIMIT + 1) == 409
    [other] = [each for each in done(await first.get("/sessions"))["sessions"] if not each["current"]]
    done(await first.command(f"/sessions/{other['id']}/end"))
    assert await scene.by_store_code(first, LIMIT + 1) == 201
    problem(await thief.get("/wallets"), 401, "session_ended")


async def test_the_owner_is_told_of_a_new_phone(scene: Scene) -> None:
    client, _ = await scene.sign_in()
    await scene.register(client)
    assert "登録されました" in scene.town.built.outbox.messages()[0].text


async def test_what_the_short_cut_pays_is_never_limited(scene: Scene) -> None:
    client, _ = await scene.sign_in()
    await scene.buy(client)
    new, _ = await scene.sign_in()
    assert await scene.by_store_code(new, NEVER_LIMITED_YEN) == 201
    assert NEVER_LIMITED_YEN <= LIMIT


async def test_a_phone_is_renamed_by_whose_it_is_and_nobody_else(scene: Scene) -> None:
    client, _ = await scene.sign_in()
    _, device_id = await scene.register(client)
    path = f"/wallets/{scene.wallet}/devices/{device_id}/name"
    assert done(await client.command(path, {"name": "台所の電話"}))["name"] == "台所の電話"
    [kept] = done(await client.get(f"/wallets/{scene.wallet}/devices"))["devices"]
    assert (kept["id"], kept["name"], kept["status"]) == (str(device_id), "台所の電話", "active")
    stranger = await scene.town.resident()
    theirs = scene.town.as_resident(stranger)
    problem(await theirs.command(path, {"name": "mine"}), 404, "not_found")
    moved = f"/wallets/{stranger.wallet.id}/devices/{device_id}/name"
    problem(await theirs.command(moved, {"name": "mine"}), 404, "not_found")
    [kept] = done(await client.get(f"/wallets/{scene.wallet}/devices"))["devices"]
    assert kept["name"] == "台所の電話"
