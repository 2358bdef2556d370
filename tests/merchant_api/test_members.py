"""Who works for a store: added, listed, let go; and nobody who works there pays there."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.merchants.add_member import AddMember, add_member
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.shops import MemberRole
from tests.http_town import MERCHANT, Client, HttpTown, done, problem
from tests.town import OFFICER, Resident, Shop

PASSWORD = "momiji-no-yama-77"


class Scene:
    town: HttpTown
    who: Resident
    shop: Shop
    owner: Client
    """Of the shop; its clerk is promoted."""

    @property
    def path(self) -> str:
        return f"/stores/{self.shop.id}/members"


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    made = Scene()
    made.town = town = HttpTown(engine)
    await town.programme()
    made.who, made.shop = await town.resident(), await town.shop()
    await town.buy(made.who)
    await promote(town, made.shop, MemberRole.OWNER)
    made.owner = town.as_clerk(made.shop)
    return made


async def promote(town: HttpTown, shop: Shop, role: MemberRole) -> None:
    await town.do(disable_member, DisableMember(OFFICER, True, shop.id, shop.clerk_id, "promoted"))
    await town.do(add_member, AddMember(OFFICER, True, shop.id, shop.clerk_id, role))


def colleague(**changes: Any) -> dict[str, Any]:
    return {"email": "clerk@shop.example.jp", "name": "店員 花子", "password": PASSWORD, "role": "clerk"} | changes


async def test_an_owner_adds_lists_and_lets_go(scene: Scene) -> None:
    added = done(await scene.owner.command(scene.path, colleague()), 201)
    lines = {line["account_id"]: line for line in done(await scene.owner.get(scene.path))["members"]}
    line = lines[added["account_id"]]
    assert (line["name"], line["email"], line["role"], line["status"]) == (
        "店員 花子",
        "clerk@shop.example.jp",
        "clerk",
        "active",
    )
    sign_in = {"email": "clerk@shop.example.jp", "password": PASSWORD}
    answer = done(await scene.town.client(MERCHANT).post("/sign-in", json=sign_in))
    clerk = scene.town.client(MERCHANT, answer["access_token"])
    done(await clerk.get(f"/stores/{scene.shop.id}"))
    problem(await clerk.get(scene.path), 403, "forbidden")
    path = f"{scene.path}/{added['account_id']}/disable"
    problem(await clerk.command(path, {"reason": "r"}), 403, "forbidden")
    problem(await scene.owner.command(path, {"reason": " "}), 422, "merchant_reason_missing")
    assert done(await scene.owner.command(path, {"reason": "left"})) == {"status": "disabled"}
    problem(await clerk.get(f"/stores/{scene.shop.id}"), 404, "not_found")
    problem(await scene.owner.command(path, {"reason": "left"}), 404, "not_found")


async def test_the_office_does_the_same(scene: Scene) -> None:
    officer, other = await scene.town.as_staff(Role.OFFICER), await scene.town.shop()
    path = f"/stores/{other.id}/members"
    [line] = done(await officer.get(path))["members"]
    assert (line["account_id"], line["role"]) == (str(other.clerk_id), "clerk")
    assert done(await officer.command(f"{path}/{other.clerk_id}/disable", {"reason": "left"}))["status"] == "disabled"
    problem(await scene.town.as_clerk(other).get(f"/stores/{other.id}"), 404, "not_found")
    auditor = await scene.town.as_staff(Role.AUDITOR)
    assert done(await auditor.get(path))["members"][0]["status"] == "disabled"


async def test_another_stores_staff_do_not_exist(scene: Scene) -> None:
    other = await scene.town.shop()
    path = f"/stores/{other.id}/members"
    problem(await scene.owner.get(path), 404, "not_found")
    problem(await scene.owner.command(path, colleague()), 404, "not_found")
    problem(await scene.owner.command(f"{path}/{other.clerk_id}/disable", {"reason": "r"}), 404, "not_found")


@pytest.mark.parametrize("by_the_office", [True, False])
async def test_a_wallet_that_is_named_pays_its_own_store_no_more(scene: Scene, by_the_office: bool) -> None:
    town, resident = scene.town, scene.town.as_resident(scene.who)
    pay = f"/wallets/{scene.who.wallet.id}/payments"
    done(await resident.command(pay, {"code": scene.shop.code, "amount_yen": 1}), 201)
    by = await town.as_staff(Role.OFFICER) if by_the_office else scene.owner
    number = scene.who.wallet.number
    added = done(await by.command(scene.path, colleague(wallet_number=number.lower())), 201)
    assert "wallet" not in str(added)
    problem(await resident.command(pay, {"code": scene.shop.code, "amount_yen": 1}), 403, "own_store")
    line = {each["account_id"]: each for each in done(await by.get(scene.path))["members"]}[added["account_id"]]
    assert line["wallet_known"] is True


async def test_a_wallet_that_nobody_has_adds_nobody(scene: Scene) -> None:
    number = scene.who.wallet.number
    mistyped = number[:-1] + ("2" if number[-1] != "2" else "3")
    problem(await scene.owner.command(scene.path, colleague(wallet_number=mistyped)), 422, "number_mistyped")
    problem(
        await scene.owner.command(scene.path, colleague(wallet_number=scene.shop.code)), 422, "number_of_other_kind"
    )
    other = HttpTown(scene.town.database.engine, seed=9)
    free = await other.do(_new_number, None)
    problem(await scene.owner.command(scene.path, colleague(wallet_number=free)), 404, "wallet_unknown")
    assert len(done(await scene.owner.get(scene.path))["members"]) == 1


async def _new_number(tx: Any, _: None) -> str:
    return str(tx.new_number("W", 10))
