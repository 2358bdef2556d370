"""What a resident holds, and the phones that reach it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from tests.http_town import WALLET, Client, HttpTown, done, problem
from tests.town import CODE, Resident


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme()
    return made


@pytest.fixture
async def who(town: HttpTown) -> Resident:
    return await town.resident()


@pytest.fixture
def client(town: HttpTown, who: Resident) -> Client:
    return town.as_resident(who)


async def test_the_balance_names_purses_and_their_last_day(town: HttpTown, who: Resident, client: Client) -> None:
    await town.buy(who)
    await town.grant(who, 500, purse="small")
    found = done(await client.get(f"/wallets/{who.wallet.id}"))
    assert found["total_points"] == 13_500
    assert {(each["purse"], each["points"], each["expires_on"]) for each in found["purses"]} == {
        ("common", 8_000, "2026-09-30"),
        ("small", 5_500, "2026-09-30"),
    }
    small = next(each for each in found["purses"] if each["purse"] == "small")
    assert small["store_classes"] == ["small"]


async def test_a_programme_is_public_but_for_its_bank_account(town: HttpTown) -> None:
    public = town.client(WALLET)
    [line] = done(await public.get("/programmes"))["programmes"]
    assert (line["code"], line["phase"], line["on_sale"]) == (CODE, "in_use", True)
    found = done(await public.get(f"/programmes/{CODE}"))
    assert found["units_left"] == 1_000
    assert found["terms"]["unit_price_yen"] == 10_000
    assert all(found["terms"]["notices"].values())
    assert not {"paying_account", "settlement", "grant_budget_points"} & found["terms"].keys()
    problem(await public.get("/programmes/none"), 404, "programme_unknown")


async def test_a_phone_is_registered_and_blocked(town: HttpTown, who: Resident, client: Client) -> None:
    path, phone = f"/wallets/{who.wallet.id}/devices", SandboxPhone(bytes(range(32)))
    made = done(await client.command(path, {"name": "新しい電話", "public_jwk": phone.public_jwk()}), 201)
    assert (made["name"], made["status"]) == ("新しい電話", "active")
    blocked = done(await client.command(f"{path}/{made['id']}/block"))
    assert blocked == {"device_id": made["id"]}
    states = {each["id"]: each["status"] for each in done(await client.get(path))["devices"]}
    assert states == {made["id"]: "blocked", str(who.device.id): "active"}
    stranger = town.as_resident(await town.resident())
    problem(await stranger.command(f"{path}/{who.device.id}/block"), 404, "not_found")


BAD_KEYS = [
    ({}, "device_key_invalid"),
    ({"kty": "RSA"}, "device_key_invalid"),
    ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "device_key_invalid"),
    ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}, "device_key_private"),
    ({"kty": 1}, "invalid_request"),
    ("text", "invalid_request"),
    (None, "invalid_request"),
]


async def test_a_bad_key_is_refused(client: Client, who: Resident, subtests: pytest.Subtests) -> None:
    for jwk, code in BAD_KEYS:
        with subtests.test(jwk=jwk, code=code):
            path = f"/wallets/{who.wallet.id}/devices"
            problem(await client.command(path, {"name": "phone", "public_jwk": jwk}), 422, code)
            assert len(done(await client.get(path))["devices"]) == 1


BAD_LIMITS = ["0", "-1", "501", "1.5", "x", "1e2", "99999999999999999999"]


async def test_a_list_is_bounded(client: Client, who: Resident, subtests: pytest.Subtests) -> None:
    for limit in BAD_LIMITS:
        with subtests.test(limit=limit):
            answer = await client.get(f"/wallets/{who.wallet.id}/history", params={"limit": limit})
            problem(answer, 422, "invalid_request")
