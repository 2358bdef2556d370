"""A role is taken away at the next request; its bearer may still look at their sessions and end them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.city_api.test_money_path import PASSWORD
from tests.http_town import CITY, Client, HttpTown, done, problem

WHY = {"reason": "moved to another office"}


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


async def take(town: HttpTown, by: Client, role: Role, **options: str) -> None:
    path = f"/accounts/{town.account_of(role)}/roles/removal"
    assert done(await by.command(path, {"role": role} | WHY, **options)) == {"roles": []}


async def test_a_role_that_was_taken_closes_its_routes_at_the_next_request(town: HttpTown) -> None:
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    done(await officer.get("/programmes"))
    await take(town, approver, Role.OFFICER)
    problem(await officer.get("/programmes"), 403, "forbidden")
    problem(await officer.command("/grants"), 403, "forbidden")


async def test_whoever_has_no_role_left_can_still_end_their_sessions(town: HttpTown) -> None:
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    other = await town.as_staff(Role.OFFICER)
    done(await other.get("/programmes"))
    await take(town, approver, Role.OFFICER)
    kept = done(await officer.get("/sessions"))["sessions"]
    elsewhere = next(each["id"] for each in kept if not each["current"])
    assert done(await officer.command(f"/sessions/{elsewhere}/end")) == {"ended": 1}
    problem(await other.get("/sessions"), 401, "session_ended")
    assert done(await officer.command("/sign-out")) == {"ended": 1}
    problem(await officer.get("/sessions"), 401, "session_ended")


async def test_a_taken_role_is_in_no_later_token(town: HttpTown) -> None:
    """Neither in one of a new sign-in, which still opens what is one's own."""
    approver = await town.as_staff(Role.APPROVER)
    new = {"email": "sato@city.example.jp", "name": "佐藤", "password": PASSWORD, "roles": ["officer", "analyst"]}
    path = f"/accounts/{done(await approver.command('/officers', new), 201)['account_id']}/roles/removal"
    for role, left in (("officer", ["analyst"]), ("analyst", [])):
        assert done(await approver.command(path, {"role": role} | WHY)) == {"roles": left}
        sign_in = {"email": new["email"], "password": PASSWORD}
        entered = done(await town.client(CITY).post("/sign-in", json=sign_in))
        assert entered["roles"] == left
        someone = town.client(CITY, entered["access_token"])
        problem(await someone.get("/programmes"), 403, "forbidden")
        done(await someone.get("/sessions"))


async def test_taking_a_role_is_audited_with_its_reason(town: HttpTown) -> None:
    await town.as_staff(Role.OFFICER)
    await take(town, await town.as_staff(Role.APPROVER), Role.OFFICER)
    entries = done(await (await town.as_staff(Role.AUDITOR)).get("/audit"))["entries"]
    (entry,) = [each for each in entries if each["action"] == "account.role_taken"]
    assert entry["subject_id"] == str(town.account_of(Role.OFFICER))
    assert entry["actor_id"] == str(town.account_of(Role.APPROVER))
    assert entry["detail"] == {"role": "officer", "left": [], "reason": WHY["reason"]}


async def test_nobody_takes_their_own_last_role(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    path = f"/accounts/{town.account_of(Role.APPROVER)}/roles/removal"
    problem(await approver.command(path, {"role": "approver"} | WHY), 409, "own_last_role")
    done(await approver.get("/programmes"))
    both = await town.as_staff(Role.OFFICER, Role.APPROVER)
    path = f"/accounts/{town.account_of(Role.OFFICER, Role.APPROVER)}/roles/removal"
    assert done(await both.command(path, {"role": "approver"} | WHY)) == {"roles": ["officer"]}


async def test_a_role_that_is_not_there_cannot_be_taken(town: HttpTown) -> None:
    await town.as_staff(Role.OFFICER)
    approver = await town.as_staff(Role.APPROVER)
    path = f"/accounts/{town.account_of(Role.OFFICER)}/roles/removal"
    problem(await approver.command(path, {"role": "auditor"} | WHY), 404, "not_found")
    await take(town, approver, Role.OFFICER)
    problem(await approver.command(path, {"role": "officer"} | WHY), 404, "not_found")
    resident = await town.resident()
    path = f"/accounts/{resident.account_id}/roles/removal"
    problem(await approver.command(path, {"role": "officer"} | WHY), 404, "not_found")


@pytest.mark.parametrize("role", [Role.ANALYST, Role.CALL_CENTRE])
async def test_analysts_and_the_call_centre_reach_nothing_yet_but_what_is_their_own(town: HttpTown, role: Role) -> None:
    """The matrix asks every route; this is the short of it."""
    someone = await town.as_staff(role)
    done(await someone.get("/sessions"))
    problem(await someone.get("/programmes"), 403, "forbidden")
    assert done(await someone.command("/sign-out")) == {"ended": 1}
