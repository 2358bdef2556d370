"""Stores, their printed codes, and who works there."""

import io
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.merchants.tables.schema import MemberRow
from services.payments.emvco import parse
from tests.http_town import MERCHANT, URL, Client, HttpTown, done, problem
from tests.town import Shop

PASSWORD = "momiji-no-yama-77"


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


@pytest.fixture
async def shop(town: HttpTown) -> Shop:
    return await town.shop()


@pytest.fixture
def client(town: HttpTown, shop: Shop) -> Client:
    return town.as_clerk(shop)


async def make(town: HttpTown, shop: Shop, role: str) -> None:
    async with town.database.begin() as tx:
        await tx.connection.execute(update(MemberRow).where(MemberRow.store_id == shop.id).values(role=role))


async def test_a_store_knows_its_number_and_ones_role(shop: Shop, client: Client) -> None:
    [line] = done(await client.get("/stores"))["stores"]
    assert (line["code"], line["role"], line["accepting"]) == (shop.code, "clerk", True)
    assert done(await client.get(f"/stores/{shop.id}")) == line


async def test_what_is_printed_is_read_back(shop: Shop, client: Client) -> None:
    png = await client.get(f"/stores/{shop.id}/qr.png")
    assert png.headers["content-type"] == "image/png"
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.content)))
    assert found.text == f"{URL.upper()}/S/{shop.code}"
    emvco = (await client.get(f"/stores/{shop.id}/emvco")).text
    assert parse(emvco).get("59") == "HOSHIMI SHOTEN"
    png = await client.get(f"/stores/{shop.id}/emvco.png")
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.content)))
    assert found.text == emvco
    for name in ("qr.svg", "emvco.svg", "sticker.svg"):
        svg = await client.get(f"/stores/{shop.id}/{name}")
        assert (svg.status_code, svg.headers["content-type"]) == (200, "image/svg+xml")
        assert svg.text.startswith("<svg")


async def test_a_registers_code_is_made_shown_and_asked_about(town: HttpTown, shop: Shop, client: Client) -> None:
    path = f"/stores/{shop.id}/till-codes"
    for amount in (0, -1, 1.5, True, "10", 10**10, None):
        problem(await client.command(path, {"amount_yen": amount}), 422, "invalid_request")
    made = done(await client.command(path, {"amount_yen": 1_980}), 201)
    assert made["url"] == f"{URL.upper()}/T/{made['number']}"
    assert parse(made["emvco"]).amount_yen == 1_980
    assert done(await client.get(f"{path}/{made['id']}")) == made
    assert (await client.get(f"{path}/{made['id']}/qr.svg")).text.startswith("<svg")
    assert made["payment_id"] is None


async def test_an_owner_appoints_who_can_then_sign_in(town: HttpTown, shop: Shop, client: Client) -> None:
    await make(town, shop, "owner")
    key, body = town.new_key(), member("clerk")
    added = done(await client.command(f"/stores/{shop.id}/members", body, key=key), 201)
    again = await client.command(f"/stores/{shop.id}/members", body, key=key)
    assert done(again, 201) == added, "the same id answers the same, although every hash is salted anew"
    sign_in = {"email": "Tanaka@Example.jp", "password": PASSWORD}
    answer = done(await town.client(MERCHANT).post("/sign-in", json=sign_in))
    assert [each["code"] for each in answer["stores"]] == [shop.code]
    clerk = town.client(MERCHANT, answer["access_token"])
    assert done(await clerk.get("/stores"))["stores"] == answer["stores"]
    async with town.database.begin() as tx:
        stored = (await tx.connection.exec_driver_sql("SELECT result::text FROM deed")).scalars().all()
    assert not any("argon2" in text or PASSWORD in text for text in stored)


def member(role: str, /, **changes: Any) -> dict[str, Any]:
    given = {"email": "tanaka@example.jp", "name": "田中", "password": PASSWORD, "role": role}
    return given | changes


async def test_only_who_may_appoint_appoints(town: HttpTown, shop: Shop, client: Client) -> None:
    path = f"/stores/{shop.id}/members"
    problem(await client.command(path, member("clerk")), 403, "forbidden")
    await make(town, shop, "manager")
    problem(await client.command(path, member("manager")), 403, "forbidden")
    done(await client.command(path, member("clerk")), 201)
    stranger = town.as_clerk(await town.shop())
    problem(await stranger.command(path, member("clerk", email="b@example.jp")), 404, "not_found")


BAD_ACCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"password": "short"}, "password_too_short"),
    ({"password": "password1234"}, "password_guessable"),
    ({"password": "x" * 201}, "invalid_request"),
    ({"email": "tanaka"}, "email_malformed"),
    ({"email": "a\u0000@example.jp"}, "invalid_request"),
    ({"email": "鈴木@example.jp"}, "email_malformed"),
    ({"name": ""}, "invalid_request"),
    ({"role": "king"}, "invalid_request"),
    ({"role": None}, "invalid_request"),
    ({"admin": True}, "invalid_request"),
]


async def test_a_bad_account_is_refused(town: HttpTown, shop: Shop, client: Client, subtests: pytest.Subtests) -> None:
    for changes, code in BAD_ACCOUNTS:
        with subtests.test(changes=changes, code=code):
            await make(town, shop, "owner")
            problem(await client.command(f"/stores/{shop.id}/members", member("clerk", **changes)), 422, code)


async def test_a_wrong_password_tells_nothing(town: HttpTown) -> None:
    client = town.client(MERCHANT)
    sign_in = {"email": "nobody@example.jp", "password": "wrong-but-long-1"}
    for _ in range(10):
        problem(await client.post("/sign-in", json=sign_in), 401, "sign_in_refused")
    answer = await client.post("/sign-in", json=sign_in)
    problem(answer, 429, "sign_in_throttled")
    assert int(answer.headers["retry-after"]) > 0
