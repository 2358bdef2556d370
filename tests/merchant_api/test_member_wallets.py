"""Whose wallet a member's is can be said afterwards, once; the office alone says that it is another's."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.kit.audit import AuditFilter, entries
from services.kit.ids import uuid7
from services.merchants.shops import MemberRole
from tests.http_town import Client, HttpTown, done, problem
from tests.merchant_api.test_members import colleague, promote
from tests.town import Resident, Shop


class Scene:
    town: HttpTown
    who: Resident
    other: Resident
    shop: Shop
    owner: Client
    clerk: str
    """The account of somebody who works in the shop, and whose wallet nobody knows."""

    @property
    def members(self) -> str:
        return f"/stores/{self.shop.id}/members"

    @property
    def path(self) -> str:
        return f"{self.members}/{self.clerk}/wallet"

    async def pays(self, who: Resident, shop: Shop | None = None) -> Any:
        body = {"code": (shop or self.shop).code, "amount_yen": 1}
        return await self.town.as_resident(who).command(f"/wallets/{who.wallet.id}/payments", body)


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    made = Scene()
    made.town = town = HttpTown(engine)
    await town.programme()
    made.who, made.other, made.shop = await town.resident(), await town.resident(), await town.shop()
    for each in (made.who, made.other):
        await town.grant(each, 100)
    await promote(town, made.shop, MemberRole.OWNER)
    made.owner = town.as_clerk(made.shop)
    made.clerk = done(await made.owner.command(made.members, colleague()), 201)["account_id"]
    return made


def says(who: Resident) -> dict[str, str]:
    return {"wallet_number": who.wallet.number, "reason": "shown on the phone"}


async def known(scene: Scene) -> dict[str, bool]:
    lines = done(await scene.owner.get(scene.members))["members"]
    return {line["account_id"]: line["wallet_known"] for line in lines}


@pytest.mark.parametrize("by_the_office", [True, False])
async def test_who_works_here_already_is_named_and_pays_here_no_more(scene: Scene, by_the_office: bool) -> None:
    done(await scene.pays(scene.who), 201)
    by = await scene.town.as_staff(Role.OFFICER) if by_the_office else scene.owner
    assert done(await by.command(scene.path, says(scene.who))) == {"wallet_known": True}
    problem(await scene.pays(scene.who), 403, "own_store")
    done(await scene.pays(scene.other), 201)
    assert (await known(scene))[scene.clerk] is True
    async with scene.town.database.begin() as tx:
        [entry] = await entries(tx, AuditFilter(action="member.person_named"))
    assert (str(entry.subject_id), entry.detail["reason"]) == (scene.clerk, "shown on the phone")
    assert scene.who.wallet.number not in str(entry.detail)
    await scene.town.must_prove()


async def test_owners_name_themselves_and_outsiders_nobody(scene: Scene) -> None:
    own = f"{scene.members}/{scene.shop.clerk_id}/wallet"
    done(await scene.owner.command(own, says(scene.other)))
    problem(await scene.pays(scene.other), 403, "own_store")
    stranger = scene.town.as_clerk(await scene.town.shop())
    problem(await stranger.command(scene.path, says(scene.who)), 404, "not_found")
    nobody = f"{scene.members}/{uuid7(scene.town.clock.now(), scene.town.entropy)}/wallet"
    problem(await scene.owner.command(nobody, says(scene.who)), 404, "not_found")
    a_stores = says(scene.who) | {"wallet_number": scene.shop.code}
    problem(await scene.owner.command(scene.path, a_stores), 422, "number_of_other_kind")
    assert (await known(scene))[scene.clerk] is False


async def test_a_manager_names_clerks_and_themselves_and_no_owner(scene: Scene) -> None:
    shop = await scene.town.shop()
    await promote(scene.town, shop, MemberRole.MANAGER)
    manager, members = scene.town.as_clerk(shop), f"/stores/{shop.id}/members"
    officer = await scene.town.as_staff(Role.OFFICER)
    body = colleague(email="owner@shop.example.jp", role="owner")
    owner = done(await officer.command(members, body), 201)["account_id"]
    problem(await manager.command(f"{members}/{owner}/wallet", says(scene.who)), 403, "forbidden")
    done(await manager.command(f"{members}/{shop.clerk_id}/wallet", says(scene.who)))
    problem(await scene.pays(scene.who, shop), 403, "own_store")


async def test_a_store_puts_no_other_wallet_in_place_of_the_known_one_and_the_office_does(scene: Scene) -> None:
    """Neither by saying so, nor by letting somebody go and appointing them again."""
    done(await scene.owner.command(scene.path, says(scene.who)))
    done(await scene.owner.command(scene.path, says(scene.who)))
    problem(await scene.owner.command(scene.path, says(scene.other)), 409, "member_known")
    done(await scene.owner.command(f"{scene.members}/{scene.clerk}/disable", {"reason": "left"}))
    again = colleague(wallet_number=scene.other.wallet.number)
    problem(await scene.owner.command(scene.members, again), 409, "member_known")
    done(await scene.owner.command(scene.members, colleague()), 201)
    problem(await scene.pays(scene.who), 403, "own_store")
    officer = await scene.town.as_staff(Role.OFFICER)
    done(await officer.command(scene.path, says(scene.other)))
    done(await scene.pays(scene.who), 201)
    problem(await scene.pays(scene.other), 403, "own_store")


async def test_what_one_store_knows_of_somebody_holds_in_every_store_they_work_for(scene: Scene) -> None:
    later, earlier = await scene.town.shop(), await scene.town.shop()
    officer = await scene.town.as_staff(Role.OFFICER)
    done(await officer.command(f"/stores/{earlier.id}/members", colleague()), 201)
    done(await scene.owner.command(scene.path, says(scene.who)))
    done(await officer.command(f"/stores/{later.id}/members", colleague()), 201)
    for shop in (earlier, later):
        problem(await scene.pays(scene.who, shop), 403, "own_store")


async def test_an_officer_says_nothing_of_their_own_wallet_but_lets_another_say_it(scene: Scene) -> None:
    """Whoever works at a store and for the city frees no wallet of their household from the store's rule."""
    town = scene.town
    done(await scene.owner.command(scene.path, says(scene.who)))
    mine = await town.as_staff(Role.OFFICER)
    chief = await town.as_staff(Role.OFFICER, Role.CALL_CENTRE)
    account = town.account_of(Role.OFFICER)
    named = {"staff_number": "4711", "wallet_number": scene.who.wallet.number}
    await town.second_yes(done(await chief.command(f"/accounts/{account}/person", named), 201))
    problem(await mine.command(scene.path, says(scene.other)), 403, "own_interest")
    problem(await scene.pays(scene.who), 403, "own_store")
    done(await chief.command(scene.path, says(scene.other)))
