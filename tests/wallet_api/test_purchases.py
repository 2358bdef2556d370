"""Buy points through the sandbox's own page and webhook; whatever the channel does has one effect."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook
from starlette.routing import Mount

from infra import worker
from infra.ports.sandbox_checkout import CheckoutEnded, CheckoutRefundRefused
from infra.worker import settle_checkouts
from services.identity.people import Role
from services.kit.errors import Missing
from services.wallets.checkout import CheckoutRequest, CheckoutSession, CheckoutStanding, CheckoutState
from tests.http_town import URL, WALLET, Client, HttpTown, done, problem
from tests.town import CODE, Resident


class Scene:
    town: HttpTown
    who: Resident
    client: Client
    pages: httpx.AsyncClient

    @property
    def path(self) -> str:
        return f"/wallets/{self.who.wallet.id}/purchases"

    async def start(self, units: Any = 1, programme: str = CODE, **options: Any) -> httpx.Response:
        return await self.client.command(self.path, {"programme": programme, "units": units}, **options)

    async def reserve(self) -> tuple[dict[str, Any], str]:
        reserved = done(await self.start(), 201)
        return reserved, str(reserved["checkout_url"]).rsplit("/", 1)[1]

    async def status(self, purchase: Mapping[str, Any]) -> str:
        return str(done(await self.client.get(f"{self.path}/{purchase['id']}"))["status"])


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    made = Scene()
    made.town = town = HttpTown(engine)
    await town.programme()
    made.who = await town.resident()
    made.client, made.pages = town.as_resident(made.who), town.client("")
    return made


async def test_the_way_through_the_page_fills_the_wallet(scene: Scene) -> None:
    reserved, _ = await scene.reserve()
    assert (reserved["status"], reserved["price_yen"], reserved["points"]) == ("reserved", 10_000, 13_000)
    page = await scene.pages.get(reserved["checkout_url"], headers={"accept-language": "en"})
    assert page.status_code == 200
    assert all(word in page.text for word in ("10,000 yen", "Decline", f"{reserved['number']}"))
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    after = await scene.pages.post(f"{reserved['checkout_url']}/pay?lang=en")
    assert (after.status_code, after.headers["location"].split("?")[0]) == (
        303,
        reserved["checkout_url"].removeprefix(URL),
    )
    assert "Paid." in (await scene.pages.get(after.headers["location"])).text
    assert await scene.status(reserved) == "paid"
    assert await scene.town.points(scene.who) == 13_000
    [line] = done(await scene.client.get(scene.path))["purchases"]
    assert line["id"] == reserved["id"]
    await scene.town.must_prove()


async def test_declining_frees_the_reservation(scene: Scene) -> None:
    reserved, _ = await scene.reserve()
    await scene.pages.post(f"{reserved['checkout_url']}/decline")
    assert await scene.status(reserved) == "lapsed"
    programme = done(await scene.client.get(f"/programmes/{CODE}"))
    assert programme["units_left"] == 1_000
    await scene.town.must_prove()


async def test_the_same_id_leads_to_the_same_page(scene: Scene) -> None:
    key = scene.town.new_key()
    first, again = await scene.start(key=key), await scene.start(key=key)
    assert first.content == again.content
    assert again.headers["idempotent-replay"] == "true"
    assert done(await scene.client.get(f"/programmes/{CODE}"))["units_left"] == 999


BAD_UNITS = [0, -1, 1.5, True, "1", 1e3, None, 10**20, 1_001]


async def test_units_are_small_whole_numbers(scene: Scene, subtests: pytest.Subtests) -> None:
    for units in BAD_UNITS:
        with subtests.test(units=units):
            problem(await scene.start(units), 422, "invalid_request")


async def test_cap_stock_time_and_name_are_told(scene: Scene) -> None:
    assert problem(await scene.start(4), 409, "cap_exceeded") == {"cap_yen": 30_000, "left_yen": 30_000}
    problem(await scene.start(programme="moonlight"), 404, "programme_unknown")
    problem(await scene.start(programme="\u0000"), 422, "invalid_request")
    scene.town.wait(days=60)
    scene.client = scene.town.as_resident(scene.who)
    problem(await scene.start(), 409, "programme_not_on_sale")
    assert await scene.town.points(scene.who) == 0
    await scene.town.must_prove()


def message(scene: Scene, checkout_id: str, /, **changes: Any) -> bytes:
    found = scene.town.built.checkout.look(checkout_id)
    data = {"checkout_id": checkout_id, "purchase_id": str(found.purchase_id), "amount_yen": found.amount_yen}
    return json.dumps({"type": "checkout.paid", "data": data | changes}).encode()


def signed(scene: Scene, body: bytes) -> dict[str, str]:
    now = scene.town.clock.now()
    signature = Webhook(scene.town.built.context.webhook_secret).sign("msg_1", now, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


async def hear(scene: Scene, body: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    public = scene.town.client(WALLET)
    return await public.post("/checkout/webhook", content=body, headers=headers or signed(scene, body))


async def test_a_webhook_counts_once_however_often_it_comes(scene: Scene) -> None:
    reserved, checkout_id = await scene.reserve()
    await scene.town.built.checkout.pay(checkout_id)
    for _ in range(3):
        assert await scene.town.built.checkout.notify(checkout_id) == 204
    assert await scene.town.points(scene.who) == 13_000
    assert await scene.status(reserved) == "paid"
    await scene.town.must_prove()


async def test_an_unsigned_stale_or_wrong_webhook_has_no_effect(scene: Scene) -> None:
    _, checkout_id = await scene.reserve()
    body = message(scene, checkout_id)
    headers = signed(scene, body)
    problem(await hear(scene, body, {"webhook-id": "x"}), 401, "webhook_unsigned")
    problem(await hear(scene, body + b" ", headers), 401, "webhook_unsigned")
    for changes in ({"amount_yen": "10000"}, {"amount_yen": True}, {"checkout_id": 1}, {"purchase_id": "x"}):
        problem(await hear(scene, message(scene, checkout_id, **changes)), 422, "invalid_request")
    problem(await hear(scene, b"{"), 400, "malformed_json")
    assert (await hear(scene, b'{"type": "checkout.refunded"}')).status_code == 204
    for nothing in (b"[]", b'{"type": []}', b'{"type": {"a": 1}}', b'{"type": null}', b'{"type": 1}'):
        assert (await hear(scene, nothing)).status_code == 204
    problem(await hear(scene, message(scene, checkout_id, checkout_id="c" * 201)), 422, "invalid_request")
    scene.town.wait(minutes=6)
    problem(await hear(scene, body, headers), 401, "webhook_stale")
    assert await scene.town.points(scene.who) == 0


async def test_a_webhook_that_never_comes_is_asked_for(scene: Scene) -> None:
    reserved, checkout_id = await scene.reserve()
    await scene.town.built.checkout.pay(checkout_id, notify=False)
    assert await scene.status(reserved) == "reserved"
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 1
    assert await scene.status(reserved) == "paid"
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 0
    await scene.town.must_prove()


class Channel:
    """The sandbox behind a line that fails as often as it is told to."""

    def __init__(self, scene: Scene, failures: int, error: Exception) -> None:
        self._sandbox = scene.town.built.checkout
        self._failures, self._error = failures, error

    def _fail(self) -> None:
        if self._failures > 0:
            self._failures -= 1
            raise self._error

    async def create(self, request: CheckoutRequest) -> CheckoutSession:
        self._fail()
        return await self._sandbox.create(request)

    async def status(self, checkout_id: str) -> CheckoutStanding:
        self._fail()
        return await self._sandbox.status(checkout_id)

    async def refund(self, checkout_id: str, amount_yen: int, refund_id: UUID) -> None:
        self._fail()
        await self._sandbox.refund(checkout_id, amount_yen, refund_id)


def breaks(scene: Scene, error: Exception, failures: int = 1) -> Channel:
    """Put a failing channel before all three APIs."""
    channel = Channel(scene, failures, error)
    for mount in scene.town.built.plain.routes[:3]:
        inner = cast(FastAPI, cast(Mount, mount).app)
        inner.state.context = replace(inner.state.context, checkout=channel)
    return channel


@pytest.mark.parametrize("error", [ConnectionError("cut"), TimeoutError(), RuntimeError("502"), Missing()])
async def test_a_channel_that_fails_leaves_a_reservation_to_go_on_with(scene: Scene, error: Exception) -> None:
    breaks(scene, error)
    key = scene.town.new_key()
    assert problem(await scene.start(key=key), 503, "unavailable")["retry_after_seconds"] > 0
    reserved = done(await scene.start(key=key), 201)
    assert done(await scene.client.get(f"/programmes/{CODE}"))["units_left"] == 999
    await scene.pages.post(f"{reserved['checkout_url']}/pay")
    assert await scene.status(reserved) == "paid"
    await scene.town.must_prove()


@pytest.mark.parametrize("error", [ConnectionError("cut"), TimeoutError(), Missing(), CheckoutRefundRefused()])
async def test_the_money_of_an_undone_purchase_goes_back_however_often_the_channel_fails(
    scene: Scene, error: Exception
) -> None:
    reserved, checkout_id = await scene.reserve()
    await scene.town.built.checkout.pay(checkout_id)
    channel = breaks(scene, error, failures=2)
    officer, key = await scene.town.as_staff(Role.OFFICER), scene.town.new_key()
    path = f"/purchases/{reserved['number']}/undo"
    assert done(await officer.command(path, {"reason": "moved"}, key=key))["status"] == "undone"
    assert scene.town.built.checkout.look(checkout_id).refunded_yen == 0
    assert await settle_checkouts(scene.town.database, channel) == 0
    assert await settle_checkouts(scene.town.database, channel) == 1
    assert scene.town.built.checkout.look(checkout_id).refunded_yen == 10_000
    shown = done(await scene.client.get(f"{scene.path}/{reserved['id']}"))
    assert (shown["status"], shown["money_returned_at"] is not None) == ("undone", True)
    assert await settle_checkouts(scene.town.database, channel) == 0
    done(await officer.command(path, {"reason": "moved"}, key=key))
    assert scene.town.built.checkout.look(checkout_id).refunded_yen == 10_000
    await scene.town.must_prove()


@pytest.mark.parametrize("heard", [True, False])
async def test_money_of_another_amount_is_held_and_goes_back_as_it_came(scene: Scene, heard: bool) -> None:
    reserved, checkout_id = await scene.reserve()
    sandbox = scene.town.built.checkout
    await sandbox.pay(checkout_id, notify=False, amount_yen=9_000)
    if heard:
        assert await sandbox.notify(checkout_id) == 204
    else:
        assert await settle_checkouts(scene.town.database, sandbox) == 1
    assert await scene.status(reserved) in {"late", "returned"}
    await scene.town.must_prove()
    await settle_checkouts(scene.town.database, sandbox)
    assert await scene.status(reserved) == "returned"
    assert sandbox.look(checkout_id).refunded_yen == 9_000
    assert await scene.town.points(scene.who) == 0
    assert done(await scene.client.get(f"/programmes/{CODE}"))["units_left"] == 1_000
    await scene.town.must_prove()


async def test_a_checkout_that_the_channel_forgot_lapses_in_time(scene: Scene) -> None:
    reserved, _ = await scene.reserve()
    scene.town.built.checkout._file.execute("DELETE FROM checkout")
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 0
    scene.town.wait(minutes=30)
    scene.client = scene.town.as_resident(scene.who)
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 1
    assert await scene.status(reserved) == "lapsed"


async def test_purchases_that_cannot_be_settled_hide_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAITING_PAGE", 1)
    checkouts = [(await scene.reserve())[1] for _ in range(3)]
    for checkout_id in checkouts:
        await scene.town.built.checkout.pay(checkout_id, notify=False)
    channel = Channel(scene, 2, ConnectionError("cut"))
    assert await settle_checkouts(scene.town.database, channel) == 1
    assert await scene.town.points(scene.who) == 13_000


async def test_a_list_of_purchases_says_whether_there_is_more(scene: Scene) -> None:
    ids = [(await scene.reserve())[0]["id"] for _ in range(3)]
    first = done(await scene.client.get(scene.path, params={"limit": 2}))
    rest = done(await scene.client.get(scene.path, params={"limit": 2, "after": first["next"]}))
    assert [each["id"] for each in first["purchases"] + rest["purchases"]] == sorted(ids, reverse=True)
    assert rest["next"] is None


async def test_nobody_paying_frees_cap_and_stock(scene: Scene) -> None:
    reserved, checkout_id = await scene.reserve()
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 0
    scene.town.wait(minutes=31)
    scene.client = scene.town.as_resident(scene.who)
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 1
    assert await scene.status(reserved) == "lapsed"
    with pytest.raises(CheckoutEnded):
        await scene.town.built.checkout.pay(checkout_id)
    await scene.town.must_prove()


async def test_money_that_comes_too_late_goes_back(scene: Scene) -> None:
    """The channel took the money in time, told us late, and the reservation was freed meanwhile."""
    reserved, checkout_id = await scene.reserve()
    body = message(scene, checkout_id)
    await scene.pages.post(f"{reserved['checkout_url']}/decline")
    scene.town.built.checkout._file.execute("UPDATE checkout SET state = 'paid', paid_yen = amount_yen")
    assert (await hear(scene, body)).status_code == 204
    assert await scene.status(reserved) == "late"
    assert await settle_checkouts(scene.town.database, scene.town.built.checkout) == 1
    assert await scene.status(reserved) == "returned"
    assert scene.town.built.checkout.look(checkout_id).refunded_yen == 10_000
    assert await scene.town.points(scene.who) == 0
    await scene.town.must_prove()


async def test_the_sandbox_decides_once_and_returns_what_it_holds(scene: Scene) -> None:
    _, checkout_id = await scene.reserve()
    sandbox = scene.town.built.checkout
    with pytest.raises(CheckoutRefundRefused):
        await sandbox.refund(checkout_id, 1, uuid4())
    await sandbox.pay(checkout_id)
    with pytest.raises(CheckoutEnded):
        await sandbox.decline(checkout_id)
    assert await sandbox.status(checkout_id) == CheckoutStanding(CheckoutState.PAID, 10_000)
    for _ in range(2):
        await sandbox.refund(checkout_id, 6_000, UUID(int=1))
    with pytest.raises(CheckoutRefundRefused):
        await sandbox.refund(checkout_id, 4_001, UUID(int=2))
    assert sandbox.look(checkout_id).refunded_yen == 6_000
    with pytest.raises(Missing):
        await sandbox.status("nonsense")


async def test_pages_refuse_like_everything_else(scene: Scene) -> None:
    _, checkout_id = await scene.reserve()
    path = f"/sandbox/checkout/{checkout_id}"
    problem(await scene.pages.get("/sandbox/checkout/nonsense"), 404, "not_found")
    problem(await scene.pages.post(f"{path}/steal"), 404, "not_found")
    problem(await scene.pages.get(f"{path}/pay"), 405, "method_not_allowed")
    problem(await scene.pages.post(f"{path}/pay", headers={"sec-fetch-site": "cross-site"}), 403, "forbidden")
    problem(await scene.pages.get("/outbox/"), 404, "not_found")
    for page in ("/", "/outbox", path):
        answer = await scene.pages.get(page, headers={"accept-language": "ja"})
        assert answer.status_code == 200
        assert '<html lang="ja">' in answer.text
        assert "script" not in answer.text
