"""Pay a store over HTTP: every bad input is a problem with a stable code, and nothing has changed."""

import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.numbers import check_character
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.open import SetWalletStatus, set_wallet_status
from tests.http_town import URL, Client, HttpTown, done, problem
from tests.town import OFFICER, Resident, Shop


class Scene:
    """A resident with 13,000 points (8,000 common, 5,000 for small stores) before a small store."""

    town: HttpTown
    who: Resident
    shop: Shop
    client: Client

    @property
    def path(self) -> str:
        return f"/wallets/{self.who.wallet.id}/payments"

    async def pay(self, amount_yen: Any = 500, **changes: Any) -> Any:
        body = {"code": self.shop.code, "amount_yen": amount_yen} | changes
        return await self.client.command(self.path, body)

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
    town.wait(minutes=1)
    made.client = town.as_resident(made.who)
    return made


async def test_a_payment_gives_a_receipt_with_the_balance_after_it(scene: Scene) -> None:
    receipt = done(await scene.pay(1_234), 201)
    assert receipt["store_code"] == scene.shop.code
    assert (receipt["amount_yen"], receipt["balance_after_yen"], receipt["mode"]) == (1_234, 11_766, "mpm")
    assert sum(part["yen"] for part in receipt["parts"]) == 1_234
    kept = done(await scene.client.get(f"{scene.path}/{receipt['payment_id']}"))
    assert kept == {"receipt": receipt, "returns": []}
    history = done(await scene.client.get(f"/wallets/{scene.who.wallet.id}/history"))["movements"]
    assert [(each["kind"], each["change_points"]) for each in history] == [
        ("payment", -1_234),
        ("purchase", 13_000),
    ]
    assert history[0]["payment_number"] == receipt["number"]
    assert [each["store_name"] for each in history] == ["星見商店 本店", None]


FORMS = ["{url}/S/{code}", "{code}", "{spaced}", "{lower}", "{url}/S/{code}\r\n"]


async def test_a_store_is_paid_by_what_was_scanned_or_typed(scene: Scene, subtests: pytest.Subtests) -> None:
    for form in FORMS:
        with subtests.test(form=form):
            code = scene.shop.code
            text = form.format(url=URL.upper(), code=code, spaced=" ".join(code), lower=code.lower())
            assert done(await scene.pay(1, code=text), 201)["store_code"] == code


BAD_AMOUNTS = ["0", "-1", "0.5", "1.0", "1e3", "true", '"10"', "null", "12345678901234567890", "[1]", "NaN"]


async def test_no_other_amount_than_whole_yen_is_paid(scene: Scene, subtests: pytest.Subtests) -> None:
    for amount in BAD_AMOUNTS:
        with subtests.test(amount=amount):
            content = f'{{"code": {json.dumps(scene.shop.code)}, "amount_yen": {amount}}}'
            headers = {"content-type": "application/json"}
            answer = await scene.client.command(scene.path, content=content, headers=headers)
            if amount == "NaN":
                problem(answer, 400, "malformed_json")
            else:
                [field] = problem(answer, 422, "invalid_request")["fields"]
                assert field["location"] == "body.amount_yen"
            await scene.nothing_changed()


async def test_a_payment_above_the_balance_says_what_lacks_and_what_lies_idle(scene: Scene) -> None:
    large = await scene.town.shop("large")
    answer = await scene.pay(8_001, code=large.code)
    params = problem(answer, 409, "points_missing")
    assert params["missing_yen"] == 1
    [idle] = params["idle"]
    assert (idle["purse"], idle["reason"], idle["yen"]) == ("small", "store_class", 5_000)
    await scene.nothing_changed()


async def test_limits_are_told(scene: Scene) -> None:
    for _ in range(4):
        await scene.town.grant(scene.who, 900_000)
    refused = await scene.pay(3_000_000)
    assert refused.json()["code"] in {"payment_limit_reached", "day_limit_reached"}
    assert refused.json()["params"]["limit_yen" if "payment" in refused.json()["code"] else "left_yen"] > 0


BAD_CODES = [
    ("", 422, "invalid_request"),
    ("x" * 1_025, 422, "invalid_request"),
    ("\u0000", 422, "invalid_request"),
    ("hello", 422, "code_unknown"),
    ("https://qr.paypay.ne.jp/abc", 422, "code_foreign"),
    ("S0000000000", 422, "number_mistyped"),
    (f"{URL}/S/S00000000", 422, "code_unknown"),
    ("eyJhbGciOiJub25lIn0.e30.", 422, "pay_code_malformed"),
    ("00020101021126280022jp.or.paymentsjapan6304ABCD", 422, "emvco_truncated"),
]


async def test_a_code_that_is_none_of_ours_is_named(scene: Scene, subtests: pytest.Subtests) -> None:
    for text, status, code in BAD_CODES:
        with subtests.test(text=text, status=status, code=code):
            problem(await scene.pay(500, code=text), status, code)
            await scene.nothing_changed()


async def test_a_number_that_no_store_has_is_unknown(scene: Scene) -> None:
    number = "S" + "0" * 7

    problem(await scene.pay(500, code=number + check_character(number)), 404, "store_unknown")


async def test_ones_own_pay_code_pays_nobody(scene: Scene) -> None:
    problem(await scene.pay(500, code=scene.town.code_of(scene.who)), 422, "code_unknown")


async def test_a_suspended_store_or_wallet_is_refused(scene: Scene) -> None:
    town = scene.town
    await town.do(set_store_status, SetStoreStatus(OFFICER, scene.shop.id, Status.SUSPENDED, "a check"))
    problem(await scene.pay(), 403, "store_suspended")
    await town.do(set_store_status, SetStoreStatus(OFFICER, scene.shop.id, Status.ACTIVE, "all well"))
    await town.do(set_wallet_status, SetWalletStatus(scene.who.wallet.number, "suspended", "lost", OFFICER))
    problem(await scene.pay(), 403, "wallet_suspended")
    await scene.nothing_changed()


async def test_points_of_a_closed_programme_are_gone(scene: Scene) -> None:
    scene.town.wait(days=300)
    client = scene.town.as_resident(scene.who)
    answer = await client.command(scene.path, {"code": scene.shop.code, "amount_yen": 1})
    assert problem(answer, 409, "programme_closed") == {"programme": "starlight"}


async def test_somebody_elses_wallet_does_not_exist(scene: Scene) -> None:
    other = scene.town.as_resident(await scene.town.resident())
    body = {"code": scene.shop.code, "amount_yen": 1}
    problem(await other.command(scene.path, body), 404, "not_found")
    for path in ("", "/history", "/devices", "/purchases", f"/payments/{uuid4()}", f"/purchases/{uuid4()}"):
        problem(await other.get(f"/wallets/{scene.who.wallet.id}{path}"), 404, "not_found")
    await scene.nothing_changed()


BAD_KEYS = [
    (None, "idempotency_key_missing"),
    ("", "idempotency_key_invalid"),
    ("1", "idempotency_key_invalid"),
    ("'0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a'", "idempotency_key_invalid"),
    ('"0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a', "idempotency_key_invalid"),
    ("{0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a}", "idempotency_key_invalid"),
    ("0198c5a47c1e7a3b9d5e2f6b8c1d4e7a", "idempotency_key_invalid"),
]


async def test_a_command_without_its_id_is_refused(scene: Scene, subtests: pytest.Subtests) -> None:
    for key, code in BAD_KEYS:
        with subtests.test(key=key, code=code):
            headers = {} if key is None else {"idempotency-key": key}
            answer = await scene.client.post(
                scene.path, json={"code": scene.shop.code, "amount_yen": 1}, headers=headers
            )
            problem(answer, 400, code)
            await scene.nothing_changed()


async def test_the_same_id_and_content_answer_the_same_once(scene: Scene) -> None:
    key, body = scene.town.new_key(), {"code": scene.shop.code, "amount_yen": 100}
    first = await scene.client.command(scene.path, body, key=key)
    again = await scene.client.command(scene.path, body, key=f'"{key.upper()}"')
    assert (again.status_code, again.content) == (201, first.content)
    assert ("idempotent-replay" in first.headers, again.headers["idempotent-replay"]) == (False, "true")
    problem(
        await scene.client.command(scene.path, body | {"amount_yen": 101}, key=key),
        422,
        "idempotency_key_reused",
    )
    assert await scene.town.points(scene.who) == 12_900
    await scene.town.must_prove()


async def test_a_lost_answer_is_asked_for_by_the_deeds_id(scene: Scene) -> None:
    key = scene.town.new_key()
    path = f"/wallets/{scene.who.wallet.id}/deeds/{key}"
    problem(await scene.client.get(path), 404, "not_found")
    receipt = done(await scene.client.command(scene.path, {"code": scene.shop.code, "amount_yen": 100}, key=key), 201)
    found = done(await scene.client.get(path))
    assert (found["key"], found["result"]["number"]) == (key, receipt["number"])
    other = scene.town.as_resident(await scene.town.resident())
    problem(await other.get(path), 404, "not_found")


async def test_a_refusal_burns_nothing(scene: Scene) -> None:
    key = scene.town.new_key()
    problem(
        await scene.client.command(scene.path, {"code": scene.shop.code, "amount_yen": 13_001}, key=key),
        409,
        "points_missing",
    )
    done(await scene.client.command(scene.path, {"code": scene.shop.code, "amount_yen": 13_000}, key=key), 201)


async def test_a_registers_code_pays_its_sum_once(scene: Scene) -> None:
    made = await scene.town.do(make_till_code, MakeTillCode(scene.shop.clerk_id, scene.shop.id, 770))
    text = f"{URL}/T/{made.code.number}"
    look = done(await scene.client.post("/codes", json={"text": text}))
    assert (look["kind"], look["amount_yen"], look["used"]) == ("till", 770, False)
    assert look["store"]["name"] == "星見商店 本店"
    assert problem(await scene.pay(771, code=text), 422, "amount_differs")["expected_yen"] == 770
    receipt = done(await scene.client.command(scene.path, {"code": text}), 201)
    assert (receipt["amount_yen"], receipt["mode"]) == (770, "till")
    problem(await scene.client.command(scene.path, {"code": text}), 409, "till_code_used")
    scene.town.wait(minutes=6)
    late = await scene.town.do(make_till_code, MakeTillCode(scene.shop.clerk_id, scene.shop.id, 1))
    scene.town.wait(minutes=5)
    again = scene.town.as_resident(scene.who)
    answer = await again.command(scene.path, {"code": late.code.number})
    problem(answer, 409, "till_code_expired")


async def test_a_stores_code_needs_an_amount(scene: Scene) -> None:
    answer = await scene.client.command(scene.path, {"code": scene.shop.code})
    assert problem(answer, 422, "invalid_request")["fields"] == [{"location": "body.amount_yen", "code": "missing"}]


async def test_a_store_is_shown_before_it_is_paid(scene: Scene) -> None:
    look = done(await scene.client.post("/codes", json={"text": scene.shop.code}))
    assert (look["kind"], look["amount_yen"], look["store"]["accepting"]) == ("store", None, True)
    public = done(await scene.client.get(f"/stores/{scene.shop.code}"))
    assert public == look["store"]
    problem(await scene.client.get("/stores/S123"), 422, "number_malformed")
