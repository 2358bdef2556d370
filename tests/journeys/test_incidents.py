"""Incidents of other services, played over HTTP against this one. What is told of them stands in docs/statements.md."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.http_town import CITY, MERCHANT, HttpTown, done, problem
from tests.town import NOON

PASSWORD = "tsuki-to-hoshi-88"


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def test_a_list_of_right_passwords_opens_no_session(town: HttpTown) -> None:
    """Staff alone have passwords. Whoever has the whole list of them stands before the second factor with each."""
    shop, officer = await town.shop(), await town.as_staff(Role.OFFICER)
    await town.as_staff(Role.APPROVER)
    owner = {"email": "owner@shop.example.jp", "name": "店主", "password": PASSWORD, "role": "owner"}
    done(await officer.command(f"/stores/{shop.id}/members", owner), 201)
    known = [(CITY, "officer@city.example.jp"), (CITY, "approver@city.example.jp"), (MERCHANT, owner["email"])]
    for api, email in known:
        thief = town.client(api, shows_factor=False)
        for attempt in range(2):
            answer = done(await thief.post("/sign-in", json={"email": email, "password": PASSWORD}))
            assert "attempt_id" in answer, email
            assert not [name for name in answer if "token" in name], (email, attempt)
        assert (await thief.get("/sessions")).status_code == 401


async def test_an_owner_pays_the_own_store_in_none_of_the_ways(town: HttpTown) -> None:
    """By the code on the phone at a colleague's till, by the sticker, and by a code of the register."""
    who, shop, officer = await town.resident(), await town.shop(), await town.as_staff(Role.OFFICER)
    await town.buy(who)
    owner = {"email": "owner@shop.example.jp", "name": "店主", "password": PASSWORD, "role": "owner"}
    named = owner | {"wallet_number": who.wallet.number}
    done(await officer.command(f"/stores/{shop.id}/members", named), 201)
    clerk, resident = town.as_clerk(shop), town.as_resident(who)
    till = done(await clerk.command(f"/stores/{shop.id}/till-codes", {"amount_yen": 500}), 201)
    shown = {"pay_code": town.code_of(who), "amount_yen": 500}
    answers = [await clerk.command(f"/stores/{shop.id}/payments", shown)]
    for code in (shop.code, till["number"]):
        paid = {"code": code, "amount_yen": 500}
        answers.append(await resident.command(f"/wallets/{who.wallet.id}/payments", paid))
    for answer in answers:
        problem(answer, 403, "own_store")
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_screenshot_of_a_code_is_worth_nothing_after_its_owner_paid_or_after_a_minute(town: HttpTown) -> None:
    """What is relayed live, within the minute, is a code like any other: docs/security.md says so."""
    who, shop, other = await town.resident(), await town.shop(), await town.shop()
    await town.buy(who)

    async def show(code: str, at: Any) -> Any:
        body = {"pay_code": code, "amount_yen": 700}
        return await town.as_clerk(at).command(f"/stores/{at.id}/payments", body)

    shown = town.code_of(who)
    done(await show(shown, shop), 201)
    for thief_at in (shop, other):
        problem(await show(shown, thief_at), 409, "pay_code_used")
    kept = town.code_of(who)
    town.wait(seconds=60)
    problem(await show(kept, other), 422, "pay_code_expired")
    assert await town.points(who) == 12_300
    await town.must_prove()


async def test_what_is_in_a_file_is_in_no_second_one(town: HttpTown) -> None:
    """Proposed, approved, sent, paid: at no step does a second file pay the same; a file is not sent twice either."""
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 3_000)
    town.go_to(NOON.replace(day=16, hour=9))
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    closed = done(await officer.command("/programmes/starlight/closes", {"closing_date": "2026-04-15"}), 201)
    asked = {"programme": "starlight", "transfer_date": closed["transfer_date"]}
    file = done(await officer.command("/bank-files", asked), 201)["file"]
    path = f"/bank-files/{file['id']}"
    steps = [(approver, "approval", {"sha256": file["sha256"]}), (officer, "sent", {}), (officer, "paid", {})]
    for by, step, body in steps:
        problem(await officer.command("/bank-files", asked), 409, "payouts_none_due")
        assert (await by.command(f"{path}/{step}", body)).is_success
        problem(await by.command(f"{path}/{step}", body), 409, "bank_file_step_wrong")
    problem(await officer.command("/bank-files", asked), 409, "payouts_none_due")
    await town.must_prove()
