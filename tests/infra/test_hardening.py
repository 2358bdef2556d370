"""What every answer keeps to, asked of the whole platform: headers, limits, silence about its insides, fails closed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.access.callers import CALLERS, Caller
from infra.access.matrix import PAGES, Place, verdict
from infra.http.edge import MAX_BODY_BYTES, MAX_CSV_BYTES, MAX_LIST_BYTES, MAX_REGISTER_BYTES
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from tests.access.all_requests import REQUESTS
from tests.access.conftest import ground
from tests.access.every import PLACES
from tests.access.ground import Ground, ask, elsewhere, prefix_of
from tests.access.requests import WHY, signed
from tests.access.stage import StagedTown
from tests.http_town import CITY, MERCHANT, WALLET, town_keys

__all__ = ["ground"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
PUBLIC = "https://tanabata.example.jp"
FORGED = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "gopher",
    "x-forwarded-prefix": "/evil",
    "x-forwarded-port": "1",
    "x-real-ip": "203.0.113.9",
    "x-original-url": "/api/city/v1/proof",
    "x-rewrite-url": "/api/city/v1/proof",
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "forwarded": "for=203.0.113.9;host=evil.example;proto=gopher",
    "host": "evil.example",
    "origin": "https://evil.example",
    "x-request-id": "11111111-1111-1111-1111-111111111111",
}
BY_NAME = {caller.name: caller for caller in CALLERS}
APIS = [place for place in PLACES if place.api != PAGES]


def caller_of(place: Place) -> Caller:
    return next(caller for caller in CALLERS if not verdict(place, caller).status)


class PublicTown(StagedTown):
    """The same town as others reach it: by HTTPS, without documents and local pages."""

    def __init__(self, town: StagedTown) -> None:
        super().__init__(town.database.engine, town.stage, seed=9)
        self.built.checkout.close()
        self.built = build_town(
            self.database, town_keys(), public_url=PUBLIC, docs=False, local_pages=False, password_cost=CHEAPEST
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(ground: Ground) -> AsyncIterator[StagedTown]:
    async with ground.town() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def public(ground: Ground) -> AsyncIterator[PublicTown]:
    async with ground.town() as made:
        yield PublicTown(made)


async def test_documents_pages_and_debugging_are_off_where_others_come(public: PublicTown) -> None:
    nowhere = [
        "/",
        "/outbox",
        "/local.css",
        "/sandbox/checkout/x",
        "/docs",
        "/redoc",
        "/debug",
        "/metrics",
        "/.git/config",
    ]
    for prefix in (WALLET, MERCHANT, CITY):
        nowhere += [f"{prefix}/openapi.json", f"{prefix}/docs", f"{prefix}/redoc", f"{prefix}/docs/oauth2-redirect"]
    async with public.client("") as client:
        for path in nowhere:
            assert (await client.get(path)).status_code == 404, path
    plain: Any = public.built.plain
    assert not plain.debug
    assert [mount.app.debug for mount in plain.routes] == [False] * 4


async def test_every_answer_forbids_what_browsers_would_do_by_themselves(public: PublicTown) -> None:
    """Of every route, of the fast door, and of every way of being refused."""
    answers: list[httpx.Response] = []
    for place in sorted(APIS, key=lambda place: place.path == "/sign-out"):  # last, or nobody would be signed in
        if place.path == "/openapi.json":
            continue
        for caller in (BY_NAME["nobody"], caller_of(place)):
            answer, _ = await ask(public, place, caller)
            answers.append(answer)
    async with public.client(WALLET) as client:
        odd = (("GET", "/nowhere"), ("BREW", "/wallets"), ("POST", "/codes"), ("GET", "/wallets/%0a"))
        answers += [await client.request(method, path) for method, path in odd]
        for content in (b"{", b"x" * 100_000):
            as_json = {"content-type": "application/json"}
            answers.append(await client.post("/sign-in", content=content, headers=as_json))
    assert {answer.status_code for answer in answers} >= {200, 201, 202, 204, 400, 401, 404, 405, 413}
    assert public.built.app.taken >= 1, "the fast door was not tried"
    for answer in answers:
        headers, where = answer.headers, (answer.request.method, answer.request.url.path, answer.status_code)
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'", where
        assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains", where
        assert headers["x-content-type-options"] == "nosniff", where
        assert headers["x-frame-options"] == "DENY", where
        assert headers["referrer-policy"] == "no-referrer", where
        assert headers["cache-control"] == "no-store", where
        assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(headers), where
        signs_out = answer.is_success and answer.request.url.path.endswith("/sign-out")
        assert ("set-cookie" in headers) is signs_out, where


async def test_forged_forwarding_headers_change_nothing(town: StagedTown) -> None:
    """Addresses that we write come from the settings, the method from the request line."""
    owner, stage = BY_NAME["owner"], town.stage
    for path in ("", "/emvco", "/qr.svg", "/sticker.svg", "/statements"):
        async with town.caller(owner, MERCHANT) as client:
            plain = await client.get(f"/stores/{stage.shop.id}{path}")
            forged = await client.get(f"/stores/{stage.shop.id}{path}", headers=FORGED)
        assert plain.is_success
        assert (forged.status_code, forged.content) == (plain.status_code, plain.content)
        assert forged.headers["x-request-id"] != FORGED["x-request-id"]
    async with town.caller(BY_NAME["resident"], WALLET) as client:
        body = {"programme": "starlight", "units": 1}
        made = await client.command(f"/wallets/{stage.resident.wallet.id}/purchases", body, headers=FORGED)
        assert made.json()["checkout_url"].startswith("http://localhost:8000/sandbox/checkout/")
    async with town.client(CITY) as client:
        assert (await client.get("/proof", headers=FORGED)).status_code == 401


LISTS = {"/grants/batches": MAX_CSV_BYTES, "/districts": MAX_CSV_BYTES, "/register": MAX_REGISTER_BYTES}
LISTS |= {"/register/letters": MAX_LIST_BYTES, "/register/letters/file": MAX_LIST_BYTES}


async def test_bodies_are_limited_at_every_address(town: StagedTown) -> None:
    """Whoever sends: the stated length is enough to refuse, and one that lies is cut off."""
    for place in (place for place in APIS if place.method == "POST"):
        caller = caller_of(place)
        wanted = await REQUESTS[f"{place.api} {place.name}"](town, caller)
        limit = LISTS.get(place.path, MAX_BODY_BYTES)
        options = wanted.options(town, "POST")
        takes_body = options["content"] is not None
        options["headers"].setdefault("content-type", "application/json")
        async with town.caller(caller, prefix_of(place)) as client:
            for content in (b" " * (limit + 1), _in_pieces(limit + 1)):
                answer = await client.post(wanted.path, **(options | {"content": content}))
                if takes_body:
                    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large"), place.name
                else:
                    assert answer.status_code < 500, place.name  # nobody reads it


async def _in_pieces(length: int) -> AsyncIterator[bytes]:
    for _ in range(length // 1_000 + 1):
        yield b" " * 1_000


@asynccontextmanager
async def broken_table(ground: Ground, town: StagedTown, name: str) -> AsyncIterator[None]:
    """A table that is not there for a while: whatever reads it fails with words of the database's own."""
    database = town.database.engine.url.database or ""
    owner: AsyncEngine = elsewhere(ground.server, database).migrator_engine()
    try:
        async with owner.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {name} RENAME TO hidden_for_a_while"))
        yield
        async with owner.begin() as connection:
            await connection.execute(text(f"ALTER TABLE hidden_for_a_while RENAME TO {name}"))
    finally:
        await owner.dispose()


async def test_an_error_tells_nothing_internal_and_fails_closed(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours: the caller hears an id, the log has that id and no value of anybody's."""
    async with ground.town() as town:
        number = town.stage.resident.wallet.number
        async with broken_table(ground, town, "lot"), town.caller(BY_NAME["officer"], CITY) as client:
            with caplog.at_level(logging.DEBUG):
                answer = await client.get(f"/wallets/{number}", params=WHY)
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        for word in ("lot", "select", "relation", "asyncpg", "sqlalchemy", "traceback", ".py", number.lower()):
            assert word not in answer.text.lower(), word
        assert answer.json()["params"] == {"error_id": answer.headers["x-request-id"]}
        ours = "\n".join(_formatted(record) for record in caplog.records if not record.name.startswith("httpx"))
        assert answer.headers["x-request-id"] in ours
        assert number not in ours


def _formatted(record: logging.LogRecord) -> str:
    """As a handler writes it, with its traceback; the test's own client logs what it asked for, and is left out."""
    return logging.Formatter().format(record)


@pytest.mark.parametrize("table", ["session", "account_role", "store_member", "account_acts_for", "audit_entry"])
async def test_what_cannot_be_checked_or_recorded_is_not_done(ground: Ground, table: str) -> None:
    """Unread, sessions, roles, members and households open nothing; a look that cannot be recorded shows nothing."""
    held_by = {
        "session": ("officer", CITY, "/programmes"),
        "account_role": ("officer", CITY, "/programmes"),
        "store_member": ("owner", MERCHANT, "/stores/{store}"),
        "account_acts_for": ("resident", WALLET, "/wallets/{wallet}"),
        "audit_entry": ("officer", CITY, "/wallets/{number}?reason=she+asked"),
    }
    async with ground.town() as town:
        name, prefix, path = held_by[table]
        wallet = town.stage.resident.wallet
        path = path.format(store=town.stage.shop.id, wallet=wallet.id, number=wallet.number)
        async with town.caller(BY_NAME[name], prefix) as client:
            assert (await client.get(path)).status_code == 200
            async with broken_table(ground, town, table):
                answer = await client.get(path)
            assert answer.status_code in {500, 503}
            assert set(answer.json()) == {"type", "title", "status", "detail", "instance", "code", "params"}


async def test_unsigned_stale_and_repeated_webhooks_have_no_second_effect(ground: Ground) -> None:
    """Over HTTP, twenty at once: points are there once, and every forged word is refused before it is read."""
    async with ground.town() as town:
        who = town.stage.neighbour
        async with town.as_resident(who) as client:
            made = await client.command(f"/wallets/{who.wallet.id}/purchases", {"programme": "starlight", "units": 1})
        bought, before = made.json(), await town.points(who)
        checkout_id = bought["checkout_url"].rpartition("/")[2]
        data = {"checkout_id": checkout_id, "purchase_id": bought["id"], "amount_yen": bought["price_yen"]}
        event = {"type": "checkout.paid", "data": data}
        async with town.client(WALLET) as client:
            right = signed(town, event)
            forged = [
                (signed(town, event, secret="whsec_" + "QUJD" * 11), "webhook_unsigned"),
                (signed(town, event, age=301), "webhook_stale"),
                (signed(town, event, age=-301), "webhook_stale"),
            ]
            for wrong, code in forged:
                answer = await client.post(wrong.path, content=wrong.content, headers=dict(wrong.headers))
                assert (answer.status_code, answer.json()["code"]) == (401, code)
            answer = await client.post(right.path, content=(right.content or b"") + b" ", headers=dict(right.headers))
            assert answer.json()["code"] == "webhook_unsigned"
            assert await town.points(who) == before
            sent = [client.post(right.path, content=right.content, headers=dict(right.headers)) for _ in range(20)]
            answers: list[httpx.Response] = await asyncio.gather(*sent)
            assert {answer.status_code for answer in answers} <= {204, 503}
            assert 204 in {answer.status_code for answer in answers}
        assert await town.points(who) == before + bought["points"]
        await town.must_prove()


async def test_a_page_of_another_site_presses_no_button(town: StagedTown) -> None:
    place = next(place for place in PLACES if place.api == PAGES and place.method == "POST")
    wanted = await REQUESTS[f"{place.api} {place.name}"](town, BY_NAME["nobody"])
    async with town.client("") as client:
        for site in ("cross-site", "same-site", "nonsense"):
            answer = await client.post(wanted.path, headers={"sec-fetch-site": site})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await client.post(wanted.path, headers={"sec-fetch-site": "same-origin"})).status_code == 303
