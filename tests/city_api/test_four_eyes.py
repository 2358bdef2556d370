"""Two accounts are four eyes only if nobody is behind both; and whoever opened one need not know its password."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.identity.read import are_independent
from services.identity.staff import OpenCityAccount, open_city_account
from tests.city_api.test_money_path import PASSWORD, TERMS
from tests.http_town import CITY, MERCHANT, Client, HttpTown, done, problem
from tests.town import NOON

NEW_PASSWORD = "kawa-no-nagare-55"


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


async def signed_in(town: HttpTown, email: str, password: str = PASSWORD, *, api: str = CITY) -> Client:
    answer = done(await town.client(api).post("/sign-in", json={"email": email, "password": password}))
    return town.client(api, answer["access_token"])


async def opened(town: HttpTown, by: Client, name: str, *roles: str) -> Client:
    """An account that somebody opened through the API, signed in by the password that they chose."""
    email = f"{name}@city.example.jp"
    body = {"email": email, "name": name, "password": PASSWORD, "roles": roles}
    done(await by.command("/officers", body), 201)
    return await signed_in(town, email)


async def approval(town: HttpTown, proposer: Client, approver: Client) -> Any:
    body = {"code": "starlight", "terms": TERMS, "reason": "r"}
    proposed = done(await proposer.command("/programmes", body), 201)
    path = "/programmes/starlight/versions/1/approval"
    return await approver.command(path, {"fingerprint": proposed["fingerprint"]})


async def test_an_approver_cannot_approve_what_an_account_of_theirs_proposed(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    puppet = await opened(town, approver, "puppet", "officer")
    problem(await approval(town, puppet, approver), 403, "second_officer_needed")


async def test_nor_one_account_behind_two_others(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    one, two = await opened(town, approver, "one", "officer"), await opened(town, approver, "two", "approver")
    problem(await approval(town, one, two), 403, "second_officer_needed")


async def test_nor_the_other_way_around_or_at_more_removes(town: HttpTown) -> None:
    both = await town.as_staff(Role.OFFICER, Role.APPROVER)
    second = await opened(town, both, "second", "approver")
    third = await opened(town, second, "third", "approver")
    problem(await approval(town, both, third), 403, "second_officer_needed")


async def test_an_account_of_somebody_else_may(town: HttpTown) -> None:
    first, other = await town.as_staff(Role.APPROVER), await town.as_staff(Role.OFFICER, Role.APPROVER)
    officer = await opened(town, first, "officer-of-first", "officer")
    assert done(await approval(town, officer, other), 201)["version"] == 1


async def test_a_bank_file_needs_a_second_person_too(town: HttpTown) -> None:
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 3_000)
    town.go_to(NOON.replace(day=16, hour=9))
    approver, other = await town.as_staff(Role.APPROVER), await town.as_staff(Role.APPROVER, Role.OFFICER)
    puppet = await opened(town, approver, "puppet", "officer")
    closed = done(await puppet.command("/programmes/starlight/closes", {"closing_date": "2026-04-15"}), 201)
    asked = {"programme": "starlight", "transfer_date": closed["transfer_date"]}
    file = done(await puppet.command("/bank-files", asked), 201)["file"]
    path, said = f"/bank-files/{file['id']}", {"sha256": file["sha256"]}
    problem(await approver.command(f"{path}/approval", said), 403, "second_officer_needed")
    problem(await approver.get(f"{path}/content"), 409, "bank_file_step_wrong")
    assert done(await other.command(f"{path}/approval", said), 201)["status"] == "approved"
    reason = {"reason": "the bank was closed"}
    asked_for = done(await puppet.command(f"{path}/withdrawal", reason))
    assert (asked_for["status"], asked_for["withdrawal_asked_by"] is not None) == ("approved", True)
    problem(await approver.command(f"{path}/withdrawal", reason), 403, "second_officer_needed")
    assert done(await other.command(f"{path}/withdrawal", reason))["status"] == "void"
    await town.must_prove()


async def test_accounts_of_the_command_line_have_only_themselves_behind_them(town: HttpTown) -> None:
    ids = []
    for number in range(2):
        command = OpenCityAccount(None, f"cli-{number}@city.example.jp", "n", "h", (Role.APPROVER,))
        ids.append((await town.do(open_city_account, command)).account_id)
    async with town.database.begin() as tx:
        assert await are_independent(tx, ids[0], ids[1])
        assert not await are_independent(tx, ids[0], ids[0])


async def test_the_holder_chooses_a_password_that_the_opener_does_not_know(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    officer = await opened(town, approver, "sato", "auditor")
    sign_in = {"email": "sato@city.example.jp", "password": PASSWORD}
    assert done(await town.client(CITY).post("/sign-in", json=sign_in))["first_password"] is True
    new, key = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}, town.new_key()
    assert done(await officer.command("/password", new, key=key)) == {"changed": True}
    again = await officer.command("/password", new, key=key)
    assert (done(again), again.headers["idempotent-replay"]) == ({"changed": True}, "true")
    problem(await town.client(CITY).post("/sign-in", json=sign_in), 401, "sign_in_refused")
    answer = done(await town.client(CITY).post("/sign-in", json=sign_in | {"password": NEW_PASSWORD}))
    assert answer["first_password"] is False
    async with town.database.begin() as tx:
        stored = (
            await tx.connection.exec_driver_sql("SELECT result::text || detail::text FROM deed, audit_entry")
        ).all()
    assert not any(word in text for (text,) in stored for word in (PASSWORD, NEW_PASSWORD))


async def test_a_password_is_changed_only_by_who_knows_it(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    officer = await opened(town, approver, "sato", "officer")
    right = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    problem(await officer.command("/password", right | {"new_password": PASSWORD}), 422, "password_unchanged")
    problem(await officer.command("/password", right | {"new_password": "sato-sato-88"}), 422, "password_guessable")
    problem(await officer.command("/password", right | {"new_password": "short"}), 422, "password_too_short")
    for _ in range(8):
        wrong = right | {"old_password": "yama-no-momiji-11"}
        problem(await officer.command("/password", wrong), 401, "sign_in_refused")
    problem(await officer.command("/password", right), 429, "sign_in_throttled")
    town.wait(minutes=15)
    officer = await signed_in(town, "sato@city.example.jp")
    assert done(await officer.command("/password", right)) == {"changed": True}


async def test_a_clerk_changes_theirs_too(town: HttpTown) -> None:
    await town.programme()
    officer, shop = await town.as_staff(Role.OFFICER), await town.shop()
    body = {"email": "clerk@shop.example.jp", "name": "店員", "password": PASSWORD, "role": "clerk"}
    done(await officer.command(f"/stores/{shop.id}/members", body), 201)
    clerk = await signed_in(town, body["email"], api=MERCHANT)
    done(await clerk.command("/password", {"old_password": PASSWORD, "new_password": NEW_PASSWORD}))
    await signed_in(town, body["email"], NEW_PASSWORD, api=MERCHANT)


async def test_an_approver_closes_an_account_and_opens_it_again(town: HttpTown) -> None:
    approver, plain = await town.as_staff(Role.APPROVER), await town.as_staff(Role.OFFICER)
    path = f"/accounts/{town.account_of(Role.OFFICER)}/status"
    problem(await plain.command(path, {"status": "disabled", "reason": "r"}), 403, "forbidden")
    problem(await approver.command(path, {"status": "disabled", "reason": " "}), 422, "account_reason_missing")
    assert done(await approver.command(path, {"status": "disabled", "reason": "left"}))["status"] == "disabled"
    problem(await plain.get("/programmes"), 401, "session_ended")
    done(await approver.command(path, {"status": "active", "reason": "came back"}))
    problem(await plain.get("/programmes"), 401, "session_ended")  # what was ended stays ended
    done(await (await town.as_staff(Role.OFFICER)).get("/programmes"))
    nobody = "/accounts/00000000-0000-4000-8000-000000000000/status"
    problem(await approver.command(nobody, {"status": "disabled", "reason": "r"}), 404, "not_found")
