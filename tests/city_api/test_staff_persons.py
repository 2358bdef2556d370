"""Two accounts of one person are one person, and nobody decides on what goes to themselves or their household."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.identity.read import are_independent
from services.identity.staff_number import StaffNumberMalformed, staff_number
from tests.care.family import begin
from tests.city_api.test_four_eyes import approval, signed_in
from tests.city_api.test_money_path import PASSWORD
from tests.factories.rows import unchanged
from tests.http_town import Client, HttpTown, done, problem
from tests.town import CODE, Resident, Shop

BOTH = (Role.OFFICER, Role.APPROVER)


class Scene:
    """Offices that nobody opened for another: a chief who approves, a clerk who proposes, and one who does both."""

    def __init__(self, town: HttpTown, officer: Client, approver: Client, both: Client) -> None:
        self.town, self.officer, self.approver, self.both = town, officer, approver, both

    async def name(self, *roles: Role, number: str = "0417", **more: str) -> dict[str, Any]:
        """Propose whose account it is."""
        path = f"/accounts/{self.town.account_of(*roles)}/person"
        return done(await self.officer.command(path, {"staff_number": number} | more), 201)

    async def approve(self, proposed: dict[str, Any], by: Client) -> Any:
        path = f"/changes/{proposed['change_id']}/approval"
        return await by.command(path, {"fingerprint": proposed["fingerprint"]})

    async def one_person(self, *, by: Client | None = None, **more: str) -> None:
        """The account with both roles is named as one of the officer's; the auditor's office never matters."""
        for roles in ((Role.OFFICER,), BOTH):
            done(await self.approve(await self.name(*roles, **more), by or self.approver), 201)

    async def grant(self, who: Resident, by: Client) -> Any:
        said = {"programme": CODE, "wallet_number": who.wallet.number, "purse": "common", "points": 300, "reason": "r"}
        return await by.command("/grants", said)


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    town = HttpTown(engine)
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    return Scene(town, officer, approver, await town.as_staff(*BOTH))


async def test_accounts_of_one_number_are_one_person_in_every_second_yes(scene: Scene) -> None:
    """The control comes first: while nobody says whose they are, the two accounts are two people."""
    ids = scene.town.account_of(Role.OFFICER), scene.town.account_of(*BOTH)
    async with scene.town.database.begin() as tx:
        assert await are_independent(tx, *ids)
    await scene.one_person()
    async with scene.town.database.begin() as tx:
        assert not await are_independent(tx, *ids)
        assert await are_independent(tx, ids[0], scene.town.account_of(Role.APPROVER))
    problem(await approval(scene.town, scene.officer, scene.both), 403, "second_officer_needed")


async def test_a_number_in_another_spelling_is_the_same_person(scene: Scene) -> None:
    done(await scene.approve(await scene.name(Role.OFFICER, number="a-0417"), scene.approver), 201)
    done(await scene.approve(await scene.name(*BOTH, number="００Ａ ０４１７"), scene.approver), 201)
    problem(await approval(scene.town, scene.officer, scene.both), 403, "second_officer_needed")


async def test_a_name_counts_from_its_approval_and_not_before(scene: Scene, engine: AsyncEngine) -> None:
    await scene.one_person()
    proposed = await scene.name(*BOTH, number="9999")
    problem(await approval(scene.town, scene.officer, scene.both), 403, "second_officer_needed")
    async with unchanged(engine):
        problem(await scene.approve(proposed, scene.both), 403, "second_officer_needed")
    shown = done(await scene.approver.get(f"/changes/{proposed['change_id']}"))
    assert (shown["kind"], shown["staff_person"]) == ("staff_person", {"staff_number": "9999", "wallet_known": False})
    done(await scene.approve(proposed, scene.approver), 201)
    auditor = await scene.town.as_staff(Role.AUDITOR)
    entries = done(await auditor.get("/audit", params={"action": "account.person_named"}))["entries"]
    assert entries[0]["subject_id"] == str(scene.town.account_of(*BOTH))
    assert "9999" not in str(entries)


async def test_nobody_approves_who_they_are_themselves(scene: Scene) -> None:
    """Not even when another has proposed it: the account that is named does not say yes to its own name."""
    proposed = await scene.name(*BOTH)
    problem(await scene.approve(proposed, scene.both), 403, "second_officer_needed")
    done(await scene.approve(proposed, scene.approver), 201)


async def test_who_opens_an_account_may_say_its_number_at_once(scene: Scene) -> None:
    """A second account that somebody else opens for the officer, with the number that the office knows."""
    done(await scene.approve(await scene.name(Role.OFFICER), scene.approver), 201)
    email = "second@city.example.jp"
    body = {"email": email, "name": "別名", "password": PASSWORD, "roles": ["approver"]}
    problem(await scene.both.command("/officers", body | {"staff_number": "職員"}), 422, "staff_number_malformed")
    done(await scene.both.command("/officers", body | {"staff_number": " 0417 "}), 201)
    second = await signed_in(scene.town, email)
    problem(await approval(scene.town, scene.officer, second), 403, "second_officer_needed")


async def test_who_was_opened_by_a_persons_other_account_is_that_persons_too(scene: Scene) -> None:
    """Openers and persons are followed in turn: the officer's second account has made itself an approver."""
    await scene.one_person()
    email = "puppet@city.example.jp"
    body = {"email": email, "name": "人形", "password": PASSWORD, "roles": ["approver"]}
    done(await scene.both.command("/officers", body), 201)
    puppet = await signed_in(scene.town, email)
    problem(await approval(scene.town, scene.officer, puppet), 403, "second_officer_needed")


async def test_only_staff_of_the_city_are_named(scene: Scene) -> None:
    who = await scene.town.resident()
    answer = await scene.officer.command(f"/accounts/{who.account_id}/person", {"staff_number": "0417"})
    problem(answer, 404, "not_found")


async def household(town: HttpTown, engine: AsyncEngine) -> tuple[Resident, Resident]:
    """A parent, and a child for whom the parent's account acts."""
    parent, child = await town.resident(), await town.resident()
    async with engine.begin() as connection:
        said = text("INSERT INTO account_acts_for (account_id, person_id, relation) VALUES (:a, :p, 'guardian')")
        await connection.execute(said, {"a": parent.account_id, "p": child.person_id})
    return parent, child


async def test_nobody_grants_to_themselves_or_their_household(scene: Scene, engine: AsyncEngine) -> None:
    """Neither proposes nor approves, whichever of their accounts it is; and for others they do both."""
    await scene.town.programme()
    parent, child = await household(scene.town, engine)
    other = await scene.town.resident()
    await scene.one_person(wallet_number=parent.wallet.number)
    chief = await scene.town.as_staff(Role.APPROVER, Role.CALL_CENTRE)
    for whose in (parent, child):
        for account in (scene.officer, scene.both):
            problem(await scene.grant(whose, account), 403, "own_interest")
    assert done(await chief.get("/changes"))["changes"] == []
    done(await scene.approve(done(await scene.grant(other, scene.officer), 201), chief), 201)
    await scene.town.must_prove()


async def test_nobody_approves_a_grant_to_their_household_that_another_proposed(
    scene: Scene, engine: AsyncEngine
) -> None:
    await scene.town.programme()
    parent, child = await household(scene.town, engine)
    done(await scene.approve(await scene.name(*BOTH, wallet_number=parent.wallet.number), scene.approver), 201)
    proposed = done(await scene.grant(child, scene.officer), 201)
    problem(await scene.approve(proposed, scene.both), 403, "own_interest")
    assert await scene.town.points(child) == 0
    done(await scene.approve(proposed, scene.approver), 201)
    assert await scene.town.points(child) == 300
    await scene.town.must_prove()


async def test_nobody_moves_the_account_of_a_store_where_their_household_works(
    scene: Scene, engine: AsyncEngine
) -> None:
    parent, child = await household(scene.town, engine)
    shop: Shop = await scene.town.shop()
    member = {"email": "child@shop.example.jp", "name": "店員", "password": PASSWORD, "role": "clerk"}
    named = member | {"wallet_number": child.wallet.number}
    done(await scene.officer.command(f"/stores/{shop.id}/members", named), 201)
    done(await scene.approve(await scene.name(*BOTH, wallet_number=parent.wallet.number), scene.approver), 201)
    account = {"type": "bank", "bank_code": "0005", "branch_code": "001", "kind": "1", "number": "7654321"}
    path, body = f"/merchants/{shop.merchant_id}/payout-accounts", {"payout_account": account | {"holder": "ホシゾラ"}}
    problem(await scene.both.command(path, body), 403, "own_interest")
    proposed = done(await scene.officer.command(path, body), 201)
    problem(await scene.approve(proposed, scene.both), 403, "own_interest")
    done(await scene.approve(proposed, scene.approver), 201)


def care_of(carer: Resident, cared_for: Resident) -> dict[str, str]:
    """Care as it is asked for at the counter."""
    said = {"carer": carer.wallet.number, "cared_for": cared_for.wallet.number, "reason": "came to the counter"}
    return said | {"kind": "consent", "evidence": "spoken_consent", "carer_name": "友人", "cared_for_name": "友人"}


async def test_nobody_proposes_care_to_which_their_household_is_a_side(scene: Scene, engine: AsyncEngine) -> None:
    """Neither as carers nor as who is cared for; for others they do."""
    parent, child = await household(scene.town, engine)
    friend, stranger = await scene.town.resident(), await scene.town.resident()
    await scene.one_person(wallet_number=parent.wallet.number)
    for carer, cared_for in ((parent, friend), (friend, parent), (child, friend), (friend, child)):
        for account in (scene.officer, scene.both):
            problem(await account.command("/care", care_of(carer, cared_for)), 403, "own_interest")
    assert done(await scene.approver.get("/changes"))["changes"] == []
    done(await scene.both.command("/care", care_of(stranger, friend)), 201)


async def test_nobody_approves_care_to_which_their_household_is_a_side(scene: Scene, engine: AsyncEngine) -> None:
    parent, child = await household(scene.town, engine)
    done(await scene.approve(await scene.name(*BOTH, wallet_number=parent.wallet.number), scene.approver), 201)
    friend, neighbour, carer, stranger = [await scene.town.resident() for _ in range(4)]
    for sides, near in (((parent, friend), True), ((neighbour, child), True), ((carer, stranger), False)):
        proposed = done(await scene.officer.command("/care", care_of(*sides)), 201)
        if near:
            problem(await scene.approve(proposed, scene.both), 403, "own_interest")
        done(await scene.approve(proposed, scene.approver if near else scene.both), 201)


async def test_nobody_proposes_or_approves_the_merge_of_their_households_wallets(
    scene: Scene, engine: AsyncEngine
) -> None:
    """Whichever of the two wallets it is; for others they do both."""
    await scene.town.programme()
    parent, child = await household(scene.town, engine)
    done(await scene.approve(await scene.name(*BOTH, wallet_number=parent.wallet.number), scene.approver), 201)
    friend, stranger = await scene.town.resident(), await scene.town.resident()
    for closed, into in ((parent, friend), (friend, child)):
        sides = {"closed": closed.wallet.number, "into": into.wallet.number}
        said = sides | {"evidence": "identity_document", "reason": "one person, they say"}
        problem(await scene.both.command("/merges", said), 403, "own_interest")
        proposed = done(await scene.officer.command("/merges", said), 201)
        problem(await scene.approve(proposed, scene.both), 403, "own_interest")
    sides = {"closed": friend.wallet.number, "into": stranger.wallet.number}
    said = sides | {"evidence": "identity_document", "reason": "one person, they say"}
    done(await scene.both.command("/merges", said), 201)
    done(await scene.approve(done(await scene.officer.command("/merges", said), 201), scene.both), 201)


async def test_whoever_is_in_care_with_the_household_is_of_it(scene: Scene, engine: AsyncEngine) -> None:
    """Whom the officer cares for and who cares for the officer's child; and nobody else."""
    await scene.town.programme()
    parent, child = await household(scene.town, engine)
    grandmother, sitter, stranger = [await scene.town.resident() for _ in range(3)]
    await begin(scene.town, grandmother, parent)
    done(await scene.approve(done(await scene.officer.command("/care", care_of(sitter, child)), 201), scene.both), 201)
    done(await scene.approve(await scene.name(*BOTH, wallet_number=parent.wallet.number), scene.approver), 201)
    for whose in (grandmother, sitter):
        problem(await scene.grant(whose, scene.both), 403, "own_interest")
    done(await scene.grant(stranger, scene.both), 201)


@pytest.mark.parametrize("typed", ["417", "0417", "０４１７", " 04-17 ", "00417", "４１７"])
def test_a_number_has_one_form(typed: str) -> None:
    assert staff_number(typed) == "417"


@pytest.mark.parametrize("typed", ["", " ", "-", "職員4", "4" * 21, "4" * 41, "4\u200b17", "ａ'--"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(StaffNumberMalformed):
        staff_number(typed)
