"""Sessions in a browser: tokens in cookies that no script reads, and no other page that acts with them (CSRF)."""

import re

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.http.browser import NAMES, origin_of
from services.identity.people import Role
from services.identity.tokens import Audience
from tests.http_town import CITY, URL, WALLET, HttpTown, done, problem
from tests.infra.signing_in import (
    ACCESS,
    OWN_PAGE,
    REFRESH,
    REMINDER,
    cookies_of,
    in_browser,
    refresh,
    sign_in,
    staffed,
)


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return await staffed(engine)


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


async def test_a_reminder_refreshes_nothing(town: HttpTown) -> None:
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    kept = {"cookie": f"{REFRESH}={cookies_of(answer)[REMINDER][0]}"}
    problem(await refresh(town, None, headers=OWN_PAGE | kept), 401, "refresh_reused")
    problem(await town.client(CITY).get("/sessions", headers=kept), 401, "unauthenticated")
