"""Who may merge, what is refused, and what becomes of the ways to a wallet that is closed."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.identity.read import persons
from services.wallets.open import open_wallet
from tests.care.family import begin
from tests.http_town import HttpTown, done, problem
from tests.merging.two_wallets import WHY, ask, two_wallets
from tests.town import Resident

SEEN = {"name": "星野 光", "kana": "ほしの ひかる", "birth_date": "1960-07-07", "postal_code": "254-0045"}


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def proven(town: HttpTown, number: str, **more: Any) -> dict[str, Any]:
    officer = await town.as_staff(Role.OFFICER)
    return done(await officer.command(f"/wallets/{number}/residency", SEEN | {"evidence": "passport"} | more), 201)


async def test_the_closed_wallets_phone_pays_no_more_and_its_owner_signs_in_to_the_other(town: HttpTown) -> None:
    two = await two_wallets(town)
    await town.pay(two.other, two.shop, 1_000)
    code, before = town.code_of(two.other), town.as_resident(two.other)
    done(await before.get("/wallets"))
    await two.merge()
    clerk = town.as_clerk(two.shop)
    paid = await clerk.command(f"/stores/{two.shop.id}/payments", {"pay_code": code, "amount_yen": 100})
    problem(paid, 422, "device_unknown")
    async with town.database.begin() as tx:
        asked = text("SELECT DISTINCT status FROM device WHERE wallet_id = :closed")
        phones = await tx.connection.execute(asked, {"closed": two.other.wallet.id})
        assert list(phones.scalars()) == ["blocked"]
    problem(await before.get("/wallets"), 401, "session_ended")
    anew = town.as_resident(two.other)
    assert [each["number"] for each in done(await anew.get("/wallets"))["wallets"]] == [two.kept.wallet.number]
    history = done(await two.as_kept().get(f"/wallets/{two.kept.wallet.id}/history"))["movements"]
    assert sum(each["change_points"] for each in history) == await town.points(two.kept) == 25_000
    assert {each["kind"] for each in history} == {"purchase", "payment"}
    [payment] = [each["payment_id"] for each in history if each["payment_id"]]
    done(await anew.get(f"/wallets/{two.kept.wallet.id}/payments/{payment}"))
    assert sum("1つにまとめました" in each.text for each in town.built.outbox.messages()) == 2


async def test_nobody_approves_their_own_merge_and_it_happens_once(town: HttpTown) -> None:
    two = await two_wallets(town)
    both = await town.as_staff(Role.OFFICER, Role.APPROVER)
    sides = {"closed": two.other.wallet.number, "into": two.kept.wallet.number}
    own = done(await both.command("/merges", sides | WHY), 201)
    path, said = f"/changes/{own['change_id']}/approval", {"fingerprint": own["fingerprint"]}
    problem(await both.command(path, said), 403, "second_officer_needed")
    problem(await two.approve(own | {"fingerprint": "0" * 64}), 409, "change_differs")
    done(await two.approve(own), 201)
    problem(await two.approve(own), 409, "change_decided")
    problem(await two.ask(), 409, "wallet_merged")
    problem(await ask(town, two.kept, two.kept), 422, "merge_of_one")
    officer = await town.as_staff(Role.OFFICER)
    for path, body in (
        (f"/wallets/{two.other.wallet.number}/status", {"status": "active", "reason": "please"}),
        (f"/wallets/{two.other.wallet.number}/cards", {"pin": "4826", "reason": "please"}),
    ):
        problem(await officer.command(path, body), 409, "wallet_merged")
    await town.must_prove()


async def test_two_birth_dates_are_two_people_and_the_proven_wallet_stays(town: HttpTown) -> None:
    two = await two_wallets(town)
    await proven(town, two.other.wallet.number)
    problem(await two.ask(), 409, "merge_into_unproven")
    await proven(town, two.kept.wallet.number, birth_date="1961-07-07")
    problem(await two.ask(), 409, "merge_persons_differ")


async def test_care_around_the_closed_wallet_ends(town: HttpTown) -> None:
    two = await two_wallets(town)
    daughter = await town.resident()
    await begin(town, two.other, daughter)
    assert (await two.shown(await two.propose()))["cares"] == 1
    await two.merge()
    for wallet in (two.other, two.kept):
        problem(await town.as_resident(daughter).get(f"/wallets/{wallet.wallet.id}"), 404, "not_found")


async def test_a_cards_holder_who_gets_a_phone_ends_at_the_cards_wallet(town: HttpTown) -> None:
    officer = await town.as_staff(Role.OFFICER)
    held = done(await officer.command("/card-holders", SEEN | {"evidence": "passport"}), 201)
    number = held["number"]
    made = await officer.command(f"/wallets/{number}/cards", {"pin": "4826", "reason": "no phone"})
    assert made.status_code == 201
    grant = {"programme": "starlight", "purse": "common", "reason": "a gift", "wallet_number": number, "points": 500}
    await town.second_yes(done(await officer.command("/grants", grant), 201))
    phone = await town.resident()
    await town.buy(phone)
    assert (await proven(town, phone.wallet.number))["status"] == "under_review"
    said = {"closed": phone.wallet.number, "into": number, "evidence": "card_and_phone", "reason": "has a phone now"}
    await town.second_yes(done(await officer.command("/merges", said), 201))
    [wallet] = done(await town.as_resident(phone).get("/wallets"))["wallets"]
    assert wallet["number"] == number
    shown = done(await town.as_resident(phone).get(f"/wallets/{wallet['id']}"))
    assert shown["total_points"] == 13_500
    claims = done(await officer.get("/residency-claims", params={"status": "same_person"}))["claims"]
    assert len(claims) == 1
    anew = await town.do(lambda tx, who: open_wallet(tx, who[0], who[1]), await person_of(town, phone))
    assert [each.number for each in anew] == [number]
    await town.must_prove()


async def person_of(town: HttpTown, who: Resident) -> Any:
    return (await town.do(persons, who.account_id))[0], who.account_id
