"""Sessions over HTTP: tokens in the answer, and sign-out at the next request on every route."""

import asyncio
import re
from dataclasses import replace
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Mount

from infra.http.auth import Allowed, rules_of
from services.identity.people import Role
from services.identity.session import SessionEnded
from services.identity.tokens import Audience
from services.kit.deeds import Deed, Done
from services.payments.order import PayStore
from tests.http_town import CITY, MERCHANT, WALLET, Client, HttpTown, done, problem
from tests.infra.signing_in import (
    PASSWORD,
    refresh,
    sign_in,
    staffed,
)

ASKED_BY_THE_DEED = {
    ("wallet", "/wallets/{wallet_id}/payments"),
    ("merchant", "/stores/{store_id}/payments"),
}
"""The two ways to pay, whose deed asks whether the session is open."""


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return await staffed(engine)


async def test_a_sign_in_is_refreshed_and_signed_out(town: HttpTown) -> None:
    first = done(await sign_in(town))
    town.wait(minutes=11)
    problem(await town.client(CITY, first["access_token"]).get("/sessions"), 401, "token_expired")
    second = done(await refresh(town, first["refresh_token"]))
    assert second["session_id"] == first["session_id"]
    officer = town.client(CITY, second["access_token"])
    [mine] = done(await officer.get("/sessions"))["sessions"]
    assert (mine["id"], mine["current"], mine["carrier"]) == (first["session_id"], True, "bearer")
    assert mine["client"].startswith("python-httpx")
    assert done(await officer.command("/sign-out")) == {"ended": 1}
    problem(await officer.get("/sessions"), 401, "session_ended")
    problem(await refresh(town, second["refresh_token"]), 401, "session_ended")


async def test_a_used_refresh_token_ends_the_session_for_everybody(town: HttpTown) -> None:
    first = done(await sign_in(town))
    second = done(await refresh(town, first["refresh_token"]))
    problem(await refresh(town, first["refresh_token"]), 401, "refresh_reused")
    problem(await town.client(CITY, second["access_token"]).get("/sessions"), 401, "session_ended")
    problem(await refresh(town, second["refresh_token"]), 401, "session_ended")


async def test_the_same_request_is_answered_again(town: HttpTown) -> None:
    first, key = done(await sign_in(town)), town.new_key()
    lost = done(await refresh(town, first["refresh_token"], key=key))
    again = done(await refresh(town, first["refresh_token"], key=key))
    assert again["refresh_token"] == lost["refresh_token"]
    done(await town.client(CITY, again["access_token"]).get("/sessions"))


async def test_a_refresh_needs_its_name(town: HttpTown) -> None:
    first = done(await sign_in(town))
    body = {"refresh_token": first["refresh_token"]}
    answer = await town.client(CITY).post("/sign-in/refresh", json=body)
    problem(answer, 400, "idempotency_key_missing")


@pytest.mark.parametrize("text", ["x", "A" * 86, "e30.e30.e30", " " * 86, "Ａ" * 86])
async def test_what_is_no_refresh_token_is_refused(town: HttpTown, text: str) -> None:
    problem(await refresh(town, text), 401, "refresh_refused")


async def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(town: HttpTown) -> None:
    first = done(await sign_in(town))
    assert (await refresh(town, first["access_token"])).status_code in {401, 422}  # it is longer than any of ours
    problem(await town.client(CITY, first["refresh_token"]).get("/sessions"), 401, "token_invalid")
    problem(
        await town.client(MERCHANT).command("/sign-in/refresh", {"refresh_token": first["refresh_token"]}),
        401,
        "refresh_refused",
    )


async def test_one_session_ends_another_of_its_own_and_nobody_elses(town: HttpTown) -> None:
    here, lost = done(await sign_in(town)), done(await sign_in(town))
    officer, stranger = town.client(CITY, here["access_token"]), await town.as_staff(Role.APPROVER)
    path = f"/sessions/{lost['session_id']}/end"
    problem(await stranger.command(path), 404, "not_found")
    done(await town.client(CITY, lost["access_token"]).get("/sessions"))
    assert done(await officer.command(path)) == {"ended": 1}
    problem(await town.client(CITY, lost["access_token"]).get("/sessions"), 401, "session_ended")
    problem(await officer.command(path), 404, "not_found")
    done(await sign_in(town))
    assert done(await officer.command("/sign-out", {"everywhere": True})) == {"ended": 2}
    problem(await officer.get("/sessions"), 401, "session_ended")


async def test_a_changed_password_leaves_this_session_only(town: HttpTown) -> None:
    mine, stolen = done(await sign_in(town)), done(await sign_in(town))
    officer = town.client(CITY, mine["access_token"])
    body = {"old_password": PASSWORD, "new_password": "kawa-no-nagare-55"}
    done(await officer.command("/password", body))
    done(await officer.get("/sessions"))
    problem(await town.client(CITY, stolen["access_token"]).get("/sessions"), 401, "session_ended")
    problem(await refresh(town, stolen["refresh_token"]), 401, "session_ended")


def asking_routes(town: HttpTown, name: str) -> list[tuple[str, str, Allowed]]:
    """Method, path and rule of every route of an API that is not for everybody."""
    [app] = [each.app for each in town.built.plain.routes if isinstance(each, Mount) and f"/{name}/" in each.path]
    assert isinstance(app, FastAPI)
    return [(method, path, rule) for method, path, [rule] in rules_of(app) if isinstance(rule, Allowed)]


async def everybody(town: HttpTown) -> dict[str, Client]:
    """Somebody of each API, with all its roles where one may have several."""
    officer = await town.as_staff(Role.OFFICER, Role.APPROVER)
    return {
        "wallet": town.as_resident(await town.resident()),
        "merchant": town.as_clerk(await town.shop()),
        "city": officer,
    }


async def test_a_signed_out_token_is_refused_on_every_route(town: HttpTown) -> None:
    """Every route of every API that asks who comes, but for the two that leave it to the payment's deed."""
    clients, asked = await everybody(town), 0
    alone = {role: await town.as_staff(role) for role in (Role.AUDITOR, Role.CALL_CENTRE)}  # with a role of their own
    for client in (*clients.values(), *alone.values()):
        assert done(await client.command("/sign-out")) == {"ended": 1}
    for name, client in clients.items():
        for method, path, rule in asking_routes(town, name):
            if not rule.asks_now:
                continue
            address = re.sub(r"\{[^}]+\}", str(uuid4()), path)
            headers = {"idempotency-key": town.new_key(), "content-type": "application/json"}
            content = b"{}" if method == "POST" else b""
            who = next((alone[role] for role in alone if rule.roles == {role}), client)
            answer = await who.request(method, address, headers=headers, content=content)
            assert answer.json()["code"] == "session_ended", (name, method, path, answer.text)
            asked += 1
    assert asked > 60


def test_only_the_two_ways_to_pay_leave_the_question_to_their_deed(town: HttpTown) -> None:
    left = {
        (name, path)
        for name in ("wallet", "merchant", "city")
        for _, path, rule in asking_routes(town, name)
        if not rule.asks_now
    }
    assert left == ASKED_BY_THE_DEED


async def test_a_signed_out_token_pays_no_more(town: HttpTown) -> None:
    """Neither is anything paid, nor is told what was paid under an id before; after a new sign-in it is."""
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    resident, clerk = town.as_resident(who), town.as_clerk(shop)
    body, path = {"code": shop.code, "amount_yen": 700}, f"/wallets/{who.wallet.id}/payments"
    before = town.new_key()
    paid = done(await resident.command(path, body, key=before), 201)
    done(await resident.command("/sign-out"))
    done(await clerk.command("/sign-out"))
    problem(await resident.command(path, body), 401, "session_ended")
    problem(await resident.command(path, body, key=before), 401, "session_ended")
    scanned = {"pay_code": town.code_of(who), "amount_yen": 300}
    problem(await clerk.command(f"/stores/{shop.id}/payments", scanned), 401, "session_ended")
    assert await town.points(who) == 13_000 - 700
    assert done(await town.as_resident(who).command(path, body, key=before), 201) == paid
    await town.must_prove()


async def test_of_payments_posted_together_only_those_signed_in_are_made(town: HttpTown) -> None:
    """The short cut leaves the others alone, and the plain path refuses them; no neighbour is harmed."""
    await town.programme()
    shop = await town.shop()
    people = [await town.resident() for _ in range(4)]
    tokens = []
    for who in people:
        await town.buy(who)
        tokens.append(town.token(Audience.WALLET, who.account_id, Role.RESIDENT))
    await town.open_sessions()
    desk = town.built.context.payments
    orders = [PayStore(who.account_id, who.wallet.id, shop.code, 100 + n) for n, who in enumerate(people)]
    read = town.built.context.bearers.verify
    sessions = [read(each, Audience.WALLET, town.clock.now()).session_id for each in tokens]
    deeds = [
        Deed(who.account_id, uuid4(), bytes([n]), session_id)
        for n, (who, session_id) in enumerate(zip(people, sessions, strict=True))
    ]
    first = await asyncio.gather(*map(desk.perform, deeds[2:], orders[2:]))
    for out in (1, 3):
        done(await town.client(WALLET, tokens[out]).command("/sign-out"))
    deeds[0] = replace(deeds[0], session_id=sessions[1])  # open it may have been, but it is not hers
    found = await asyncio.gather(*map(desk.perform, deeds, orders), return_exceptions=True)
    assert [type(each) for each in found] == [SessionEnded, SessionEnded, Done, SessionEnded]
    assert found[2] == Done(first[0].result, replayed=True)
    assert [await town.points(who) for who in people] == [13_000, 13_000, 13_000 - 102, 13_000 - 103]
    await town.must_prove()
