"""Sessions over HTTP: tokens in the answer or in cookies, sign-out at the next request on every route, CSRF."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Mount

from infra.http.auth import Allowed, rules_of
from infra.http.browser import NAMES, origin_of
from services.identity.hashing import hash_new_password
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.session import RefreshToken, SessionEnded, write_token
from services.identity.staff import OpenCityAccount, open_city_account
from services.identity.tokens import Audience
from services.kit.deeds import Deed, Done
from services.payments.order import PayStore
from tests.http_town import CITY, MERCHANT, URL, WALLET, Client, HttpTown, done, problem

EMAIL, PASSWORD = "sato@city.example.jp", "tsuki-to-hoshi-88"
ACCESS, REFRESH, REMINDER = (f"__Host-tanabata-city{kind}" for kind in ("", "-refresh", "-reminder"))
OWN_PAGE = {"origin": URL, "sec-fetch-site": "same-origin", "x-tanabata-page": "1"}

ASKED_BY_THE_DEED = {
    ("wallet", "/wallets/{wallet_id}/payments"),
    ("merchant", "/stores/{store_id}/payments"),
}
"""The two ways to pay, whose deed asks whether the session is open."""


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    secret = await hash_new_password(EMAIL, PASSWORD, CHEAPEST, town.entropy)
    await town.do(open_city_account, OpenCityAccount(None, EMAIL, "佐藤", secret, (Role.OFFICER,)))
    return town


async def sign_in(town: HttpTown, *, headers: Mapping[str, str] = {}, **more: Any) -> httpx.Response:
    body = {"email": EMAIL, "password": PASSWORD} | more
    return await town.client(CITY).post("/sign-in", json=body, headers=dict(headers))


async def refresh(town: HttpTown, token: str | None, **options: Any) -> httpx.Response:
    body = {} if token is None else {"refresh_token": token}
    return await town.client(CITY).command("/sign-in/refresh", body, **options)


def cookies_of(answer: httpx.Response) -> dict[str, tuple[str, set[str]]]:
    """Each cookie that an answer sets: its value and its attributes."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        first, *rest = header.split("; ")
        name, _, value = first.partition("=")
        found[name] = (value.strip('"'), set(rest))
    return found


async def in_browser(town: HttpTown) -> dict[str, str]:
    """What a browser sends along after a sign-in."""
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    done(answer)
    return {"cookie": "; ".join(f"{name}={value}" for name, (value, _) in cookies_of(answer).items())}


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


async def test_a_browsers_tokens_are_out_of_reach_of_scripts(town: HttpTown) -> None:
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    body, cookies = done(answer), cookies_of(answer)
    assert (body["access_token"], body["refresh_token"]) == (None, None)
    assert set(cookies) == {ACCESS, REFRESH, REMINDER}
    for name, seconds in ((ACCESS, 600), (REFRESH, 3_600), (REMINDER, 34_560_000)):
        value, attributes = cookies[name]
        assert value not in answer.text
        assert attributes == {"HttpOnly", "Secure", "Path=/", "SameSite=strict", f"Max-Age={seconds}"}


async def test_a_browser_reads_refreshes_and_signs_out(town: HttpTown) -> None:
    kept = await in_browser(town)
    client = town.client(CITY)
    [mine] = done(await client.get("/sessions", headers=kept | {"sec-fetch-site": "same-origin"}))["sessions"]
    assert mine["carrier"] == "cookie"
    answer = await refresh(town, None, headers=kept | OWN_PAGE)
    assert done(answer)["refresh_token"] is None
    renewed = {"cookie": "; ".join(f"{name}={value}" for name, (value, _) in cookies_of(answer).items())}
    assert renewed != kept
    answer = await client.command("/sign-out", headers=renewed | OWN_PAGE)
    assert done(answer) == {"ended": 1}
    assert {value for value, _ in cookies_of(answer).values()} == {""}
    assert all("Max-Age=0" in attributes for _, attributes in cookies_of(answer).values())
    problem(await client.get("/sessions", headers=renewed), 401, "session_ended")


FOREIGN: list[dict[str, str | None]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": None},
    {"origin": "http://localhost:8001"},
    {"origin": "https://localhost:8000"},
    {"origin": URL + "/"},
    {"origin": URL + ".evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"x-tanabata-page": None},
    {"x-tanabata-page": "0"},
]


def changed(change: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in (OWN_PAGE | change).items() if value is not None}


@pytest.mark.parametrize("change", FOREIGN, ids=str)
async def test_no_other_page_makes_a_browser_do_anything(town: HttpTown, change: dict[str, str | None]) -> None:
    kept, client = await in_browser(town), town.client(CITY)
    headers = kept | changed(change)
    problem(await client.command("/sign-out", headers=headers), 403, "cross_site")
    problem(await refresh(town, None, headers=headers), 403, "cross_site")
    problem(
        await sign_in(town, headers=changed(change), carrier="cookie"), 403, "cross_site"
    )  # into a stranger's account
    done(await client.get("/sessions", headers=kept))


async def test_older_browsers_that_tell_no_fetch_site_are_let_in(town: HttpTown) -> None:
    kept = await in_browser(town)
    headers = kept | changed({"sec-fetch-site": None})
    done(await town.client(CITY).command("/sign-out", headers=headers))


@pytest.mark.parametrize("change", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}], ids=str)
async def test_no_other_page_reads_either(town: HttpTown, change: dict[str, str]) -> None:
    kept = await in_browser(town)
    problem(await town.client(CITY).get("/sessions", headers=kept | change), 403, "cross_site")


async def test_a_header_alone_is_judged_where_both_came(town: HttpTown) -> None:
    """A bad header does not fall back to the cookie; a good one needs no proof of its page."""
    kept, bearer = await in_browser(town), done(await sign_in(town))
    client, good = town.client(CITY), {"authorization": f"Bearer {bearer['access_token']}"}
    found = done(await client.get("/sessions", headers=kept | good | {"sec-fetch-site": "cross-site"}))["sessions"]
    assert [each["carrier"] for each in found if each["current"]] == ["bearer"]
    for bad, code in (("Bearer nonsense", "token_invalid"), ("Basic YTpi", "unauthenticated"), ("", "unauthenticated")):
        problem(await client.get("/sessions", headers=kept | {"authorization": bad}), 401, code)


async def test_a_cookie_that_comes_twice_is_nobodys(town: HttpTown) -> None:
    kept = await in_browser(town)
    for twice in (f"{kept['cookie']}; {ACCESS}=x", f"{ACCESS}=x; {kept['cookie']}"):
        problem(await town.client(CITY).get("/sessions", headers={"cookie": twice}), 401, "cookie_unclear")
    twice = f"{kept['cookie']}; {REFRESH}=x"
    problem(await refresh(town, None, headers=OWN_PAGE | {"cookie": twice}), 401, "cookie_unclear")


@pytest.mark.parametrize(
    "name", ["__host-tanabata-city", "tanabata-city", "__Host-tanabata-wallet", "__Host-tanabata-city-refresh"]
)
async def test_no_other_cookie_opens_an_api(town: HttpTown, name: str) -> None:
    token = done(await sign_in(town))["access_token"]
    headers = {"cookie": f"{name}={token}"}
    problem(await town.client(CITY).get("/sessions", headers=headers), 401, "unauthenticated")


async def test_a_bearers_refresh_token_does_not_pass_for_a_cookie(town: HttpTown) -> None:
    bearer = done(await sign_in(town))
    headers = OWN_PAGE | {"cookie": f"{REFRESH}={bearer['refresh_token']}"}
    problem(await refresh(town, None, headers=headers), 401, "refresh_refused")
    done(await refresh(town, bearer["refresh_token"]))


async def test_the_apis_cookies_have_different_names() -> None:
    names = [name for each in NAMES.values() for name in (each.access, each.refresh, each.reminder)]
    assert len(set(names)) == 3 * len(Audience)
    assert all(name.startswith("__Host-") for name in names)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://Tanabata.example.jp/", "https://tanabata.example.jp"),
        ("https://tanabata.example.jp:443", "https://tanabata.example.jp"),
        ("http://tanabata.example.jp:80", "http://tanabata.example.jp"),
        ("https://tanabata.example.jp:8443/x", "https://tanabata.example.jp:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


async def test_residents_and_stores_are_refreshed_and_signed_out_too(town: HttpTown) -> None:
    attempt = done(await town.client(WALLET).post("/sign-in/codes", json={"phone": "090-1234-5678"}), 202)
    message = town.built.outbox.latest("+819012345678")
    assert message is not None
    [code] = re.findall(r"\d{6}", message.text)
    signed_in = done(
        await town.client(WALLET).post("/sign-in", json={"attempt_id": attempt["attempt_id"], "code": code})
    )
    body = {"refresh_token": signed_in["refresh_token"]}
    renewed = done(await town.client(WALLET).command("/sign-in/refresh", body))
    resident = town.client(WALLET, renewed["access_token"])
    done(await resident.get("/wallets"))
    done(await resident.command("/sign-out"))
    problem(await resident.get("/wallets"), 401, "session_ended")


async def test_a_resident_pays_from_a_page_of_ours_and_from_no_other(town: HttpTown) -> None:
    """The way to pay reads no session, but who made a browser ask it knows like every other route."""
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    kept = {"cookie": f"__Host-tanabata-wallet={town.token(Audience.WALLET, who.account_id, Role.RESIDENT)}"}
    client, path = town.client(WALLET), f"/wallets/{who.wallet.id}/payments"
    body = {"code": shop.code, "amount_yen": 700}
    for change in FOREIGN:
        problem(await client.command(path, body, headers=kept | changed(change)), 403, "cross_site")
    assert await town.points(who) == 13_000
    done(await client.command(path, body, headers=kept | OWN_PAGE), 201)
    await town.must_prove()


async def lock_out(town: HttpTown) -> None:
    """A stranger guesses at the address until it rests."""
    for _ in range(10):
        problem(await sign_in(town, password=f"yama-no-momiji-{town.new_key()}"), 401, "sign_in_refused")
    problem(await sign_in(town), 429, "sign_in_throttled")


async def test_a_stranger_who_guesses_keeps_no_known_client_out(town: HttpTown) -> None:
    """By a token of a session that is over, or by the cookie that outlives signing out."""
    first = done(await sign_in(town))
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    reminder = {"cookie": f"{REMINDER}={cookies_of(answer)[REMINDER][0]}"}
    done(await town.client(CITY, first["access_token"]).command("/sign-out", {"everywhere": True}))
    await lock_out(town)
    done(await sign_in(town, earlier_refresh_token=first["refresh_token"]))
    done(await sign_in(town, headers=OWN_PAGE | reminder, carrier="cookie"))
    problem(await sign_in(town, headers=reminder), 429, "sign_in_throttled")  # only a page of ours shows its cookie
    mine = town.client(CITY, done(await sign_in(town, earlier_refresh_token=first["refresh_token"]))["access_token"])
    done(await mine.command("/password", {"old_password": PASSWORD, "new_password": "kawa-no-nagare-55"}))


async def test_a_known_client_guesses_no_more_than_a_stranger(town: HttpTown) -> None:
    token = done(await sign_in(town))["refresh_token"]
    for _ in range(10):
        wrong = f"yama-no-momiji-{town.new_key()}"
        problem(await sign_in(town, password=wrong, earlier_refresh_token=token), 401, "sign_in_refused")
    problem(await sign_in(town, earlier_refresh_token=token), 429, "sign_in_throttled")
    done(await sign_in(town))  # and has taken nothing from the others


@pytest.mark.parametrize("kind", ["foreign", "invented", "copied", "no token"])
async def test_no_other_token_is_a_clients_own(town: HttpTown, kind: str) -> None:
    if kind == "foreign":
        secret = await hash_new_password("ito@city.example.jp", PASSWORD, CHEAPEST, town.entropy)
        await town.do(open_city_account, OpenCityAccount(None, "ito@city.example.jp", "伊藤", secret, (Role.OFFICER,)))
        token = done(await sign_in(town, email="ito@city.example.jp"))["refresh_token"]
    elif kind == "invented":
        session_id = UUID(done(await sign_in(town))["session_id"])
        token = write_token(RefreshToken(session_id, bytes(16), bytes(32)))
    elif kind == "copied":
        token = done(await sign_in(town))["refresh_token"]
        done(await refresh(town, token))
        problem(await refresh(town, token), 401, "refresh_reused")
    else:
        token = "x"
    await lock_out(town)
    problem(await sign_in(town, earlier_refresh_token=token), 429, "sign_in_throttled")


async def test_a_reminder_refreshes_nothing(town: HttpTown) -> None:
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    kept = {"cookie": f"{REFRESH}={cookies_of(answer)[REMINDER][0]}"}
    problem(await refresh(town, None, headers=OWN_PAGE | kept), 401, "refresh_reused")
    problem(await town.client(CITY).get("/sessions", headers=kept), 401, "unauthenticated")
