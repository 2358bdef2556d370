"""Where a store's money goes: moved by two people who have just signed in, and its owners hear of it twice."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.city_api.test_changes import ACCOUNT, BOTH, Scene, scene
from tests.factories.rows import unchanged
from tests.http_town import CITY, Client, done, problem
from tests.town import Shop

__all__ = ["scene"]
PASSWORD = "tsuki-to-hoshi-88"
PROPOSED, CHANGED = "変更する手続き", "変更しました"


class Desk:
    """Somebody of the office at a browser that stays open: what a sign-in gave, and what a refresh makes of it."""

    def __init__(self, scene: Scene, *roles: Role) -> None:
        self._scene, self._email = scene, f"{'-'.join(roles)}@city.example.jp"
        self._tokens: dict[str, Any] = {}

    async def sign_in(self) -> Client:
        typed = {"email": self._email, "password": PASSWORD}
        self._tokens = done(await self._scene.town.client(CITY).post("/sign-in", json=typed))
        return self._client()

    async def refresh(self) -> Client:
        asked = {"refresh_token": self._tokens["refresh_token"]}
        self._tokens = done(await self._scene.town.client(CITY).command("/sign-in/refresh", asked))
        return self._client()

    def _client(self) -> Client:
        return self._scene.town.client(CITY, self._tokens["access_token"])


async def propose(scene: Scene, by: Client, **options: Any) -> Any:
    path = f"/merchants/{scene.shop.merchant_id}/payout-accounts"
    return await by.command(path, {"payout_account": ACCOUNT}, **options)


async def test_an_account_is_proposed_from_a_sign_in_of_the_last_quarter_of_an_hour(
    scene: Scene, engine: AsyncEngine
) -> None:
    desk = Desk(scene, *BOTH)
    await desk.sign_in()
    scene.town.wait(minutes=15)
    done(await propose(scene, await desk.refresh()), 201)
    scene.town.wait(seconds=1)
    goes_on = await desk.refresh()
    async with unchanged(engine):
        assert problem(await propose(scene, goes_on), 403, "sign_in_not_fresh") == {"minutes": 15}
    done(await propose(scene, await desk.sign_in()), 201)


async def test_and_approved_from_one(scene: Scene, engine: AsyncEngine) -> None:
    desk = Desk(scene, Role.APPROVER)
    await desk.sign_in()
    scene.town.wait(minutes=15, seconds=1)
    scene.proposer, goes_on = await scene.town.as_staff(*BOTH), await desk.refresh()
    account, grant = [await scene.propose(kind) for kind in ("payout_account", "grant")]
    async with unchanged(engine):
        assert problem(await scene.approve(account, goes_on), 403, "sign_in_not_fresh") == {"minutes": 15}
    done(await scene.approve(grant, goes_on), 201)  # nothing else asks for it
    done(await scene.approve(account, await desk.sign_in()), 201)


async def test_a_repeated_approval_is_answered_again_however_old_the_sign_in_is(scene: Scene) -> None:
    desk, key = Desk(scene, Role.APPROVER), scene.town.new_key()
    proposed = await scene.propose("payout_account")
    path, yes = f"/changes/{proposed['change_id']}/approval", {"fingerprint": proposed["fingerprint"]}
    first = done(await (await desk.sign_in()).command(path, yes, key=key), 201)
    scene.town.wait(minutes=20)
    again = await (await desk.refresh()).command(path, yes, key=key)
    assert (done(again, 201), again.headers["idempotent-replay"]) == (first, "true")


async def hire(scene: Scene, shop: Shop, name: str, role: str) -> str:
    """Somebody who works for a shop from now on; their address."""
    person = {"email": f"{name}@shop.example.jp", "name": name, "password": "kaze-to-nami-4096", "role": role}
    done(await scene.proposer.command(f"/stores/{shop.id}/members", person), 201)
    return str(person["email"])


def told(scene: Scene, words: str) -> list[str]:
    """To whom a message with these words went."""
    return sorted(each.phone for each in scene.town.built.outbox.messages() if words in each.text)


async def test_the_owners_are_told_of_the_proposal_and_of_the_change_once_each(scene: Scene) -> None:
    owners = [await hire(scene, scene.shop, name, "owner") for name in ("first", "second")]
    await hire(scene, scene.shop, "manager", "manager")
    await hire(scene, await scene.town.shop(), "stranger", "owner")
    key = scene.town.new_key()
    proposed = done(await propose(scene, scene.proposer, key=key), 201)
    done(await propose(scene, scene.proposer, key=key), 201)
    assert (told(scene, PROPOSED), told(scene, CHANGED)) == (owners, [])
    key, yes = scene.town.new_key(), {"fingerprint": proposed["fingerprint"]}
    for _ in range(2):
        done(await scene.approver.command(f"/changes/{proposed['change_id']}/approval", yes, key=key), 201)
    assert (told(scene, PROPOSED), told(scene, CHANGED)) == (owners, owners)
    [text] = {each.text for each in scene.town.built.outbox.messages() if CHANGED in each.text}
    assert "星見商店" in text
    assert "7654321" not in text


async def test_who_was_let_go_is_told_of_nothing(scene: Scene) -> None:
    await hire(scene, scene.shop, "former", "owner")
    [account] = [
        each["account_id"]
        for each in done(await scene.proposer.get(f"/stores/{scene.shop.id}/members"))["members"]
        if each["role"] == "owner"
    ]
    left = f"/stores/{scene.shop.id}/members/{account}/disable"
    done(await scene.proposer.command(left, {"reason": "left"}))
    done(await propose(scene, scene.proposer), 201)
    assert told(scene, PROPOSED) == []


async def test_of_other_changes_owners_hear_nothing(scene: Scene) -> None:
    await hire(scene, scene.shop, "first", "owner")
    done(await scene.approve(await scene.propose("grant")), 201)
    assert told(scene, PROPOSED) == told(scene, CHANGED) == []
