"""How often somebody may ask: exactly so often, by sign-in or else by address, and nobody for somebody else."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.http import rates
from infra.http.browser import NAMES
from infra.http.rates import Meter, Rates, TooManyRequests, counted_address
from infra.settings import Settings
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.tokens import Audience
from tests.http_town import CITY, MERCHANT, URL, WALLET, HttpTown, problem, town_keys
from tests.town import Resident

SECOND, MINUTE = 1_000_000_000, 60_000_000_000
MOST = 6
HOME, AWAY = "8.8.8.8", "9.9.9.9"
FORGED = {"x-forwarded-for": AWAY, "forwarded": f"for={AWAY}", "x-real-ip": AWAY, "cf-connecting-ip": AWAY}


class Time:
    """Stands still until it is told to go on."""

    ns = 0

    def __call__(self) -> int:
        return self.ns


class CountingTown(HttpTown):
    """A town in which an account asks six times a minute, and so does an address."""

    def __init__(self, engine: AsyncEngine, *, per_account: int = MOST, per_address: int = MOST) -> None:
        super().__init__(engine)
        self.time = Time()
        self.built.checkout.close()
        self.built = build_town(
            self.database,
            town_keys(),
            public_url=URL,
            password_cost=CHEAPEST,
            rates=Rates(Meter(per_account, self.time), Meter(per_address, self.time)),
        )

    def at(self, address: str, prefix: str, token: str | None = None) -> httpx.AsyncClient:
        """A client whose connection comes from this address; the sessions of its tokens have been opened."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.built.app, client=(address, 4242), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=URL + prefix, headers=headers)

    async def resident_token(self, who: Resident) -> str:
        token = self.token(Audience.WALLET, who.account_id, Role.RESIDENT)
        await self.open_sessions()
        return token


@pytest.fixture
def town(engine: AsyncEngine) -> CountingTown:
    return CountingTown(engine)


async def all_at_once(client: httpx.AsyncClient, asked: list[tuple[str, str, Any]]) -> list[httpx.Response]:
    return list(await asyncio.gather(*(client.request(method, path, **more) for method, path, more in asked)))


@pytest.mark.parametrize("a_minute", [1, 7, 60, 1_200, 9_999_999])
def test_exactly_so_many_pass_at_once_and_one_more_with_each_step(a_minute: int) -> None:
    now = Time()
    meter = Meter(a_minute, now)
    tried = min(a_minute, 2_000)
    if a_minute > tried:
        meter._until["x"] = (a_minute - tried) * (MINUTE // a_minute)  # so many were asked before
    assert [meter.has_room("x") for _ in range(tried + 1)] == [True] * tried + [False]
    now.ns += MINUTE // a_minute - 1
    assert not meter.has_room("x")
    now.ns += 1
    assert [meter.has_room("x") for _ in range(2)] == [True, False]
    assert meter.has_room("y")


def test_who_waits_as_long_as_they_are_told_is_let_in_and_not_earlier() -> None:
    now = Time()
    meter = Meter(4, now)  # one each 15 s
    for _ in range(4):
        meter.take("x")
    now.ns += 300_000_000
    with pytest.raises(TooManyRequests) as refused:
        meter.take("x")
    assert refused.value.params == {"retry_after_seconds": 15}
    now.ns += 14 * SECOND
    assert not meter.has_room("x")
    now.ns += SECOND
    meter.take("x")


def test_nobody_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_COUNTED", 10)
    meter = Meter(1, Time())
    for number in range(30):
        meter.take(number)
    assert len(meter) == 10
    assert not meter.has_room(29)
    assert meter.has_room(0)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("127.0.0.1", None),
        ("::1", None),
        ("10.1.2.3", None),
        ("192.168.0.7", None),
        ("fe80::1%eth0", None),
        ("", None),
        ("a socket", None),
    ],
)
def test_only_addresses_of_the_public_internet_are_counted(address: str, counted: str | None) -> None:
    assert counted_address(address) == counted


def test_a_household_is_one_address_whichever_of_its_addresses_it_takes() -> None:
    one, other = counted_address("2400:2410:1:2:3::4"), counted_address("2400:2410:1:2:ffff:1:2:3")
    assert one == other != counted_address("2400:2410:1:3::4")


async def test_of_requests_at_once_an_account_has_exactly_its_number_over_all_routes(town: CountingTown) -> None:
    who = await town.resident()
    wallet = f"/wallets/{who.wallet.id}"
    asked: list[tuple[str, str, Any]] = [("GET", wallet, {}), ("GET", "/nowhere", {}), ("PUT", wallet, {})]
    asked += [("POST", f"{wallet}/payments", {"content": b"{", "headers": {"content-type": "application/json"}})]
    async with town.at(HOME, WALLET, await town.resident_token(who)) as client:
        answers = await all_at_once(client, asked * 5)
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[429] == 5 * len(asked) - MOST
    for answer in answers:
        if answer.status_code == 429:
            assert problem(answer, 429, "too_many_requests") == {"retry_after_seconds": 10}
            assert answer.headers["retry-after"] == "10"


async def test_payments_at_once_are_counted_at_the_fast_door_as_behind_it(town: CountingTown) -> None:
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    path, body = f"/wallets/{who.wallet.id}/payments", {"code": shop.code, "amount_yen": 1}
    asked: list[tuple[str, str, Any]] = [
        ("POST", path, {"json": body, "headers": {"idempotency-key": town.new_key()}}) for _ in range(MOST + 4)
    ]
    before = await town.points(who)
    async with town.at(HOME, WALLET, await town.resident_token(who)) as client:
        answers = await all_at_once(client, asked)
    assert Counter(answer.status_code for answer in answers) == {201: MOST, 429: 4}
    assert town.built.app.taken == MOST
    assert before - await town.points(who) == MOST
    [late] = {answer.headers["retry-after"] for answer in answers if answer.status_code == 429}
    town.time.ns += int(late) * SECOND
    async with town.at(HOME, WALLET, await town.resident_token(who)) as client:
        assert [answer.status_code for answer in await all_at_once(client, asked[-2:])] == [201, 429]


async def test_neighbours_behind_one_address_pay_while_a_stranger_there_has_asked_too_much(town: CountingTown) -> None:
    one, other = await town.resident(), await town.resident()
    async with town.at(HOME, WALLET) as stranger:
        statuses = [(await stranger.get("/programmes")).status_code for _ in range(MOST + 1)]
        assert statuses == [200] * MOST + [429]
    for who in (one, other):
        async with town.at(HOME, WALLET, await town.resident_token(who)) as client:
            for _ in range(MOST):
                assert (await client.get(f"/wallets/{who.wallet.id}")).status_code == 200
            assert (await client.get(f"/wallets/{who.wallet.id}")).status_code == 429
    async with town.at(AWAY, WALLET) as stranger:
        assert (await stranger.get("/programmes")).status_code == 200


async def test_whoever_shows_no_good_sign_in_is_counted_by_the_connection_whatever_they_write(
    town: CountingTown,
) -> None:
    shop, nobody = await town.shop(), UUID(int=1)
    for address, prefix in (("8.8.8.1", WALLET), ("8.8.8.2", MERCHANT), ("8.8.8.3", CITY)):
        wrong = town.token(Audience.WALLET if prefix == MERCHANT else Audience.MERCHANT, shop.clerk_id, Role.MERCHANT)
        shown: list[dict[str, str]] = [
            {},
            {"authorization": "Bearer nonsense"},
            {"authorization": f"Bearer {wrong}"},  # of another API
            {"authorization": "Basic YTpi"},
            {"cookie": "; ".join([f"{name.access}=nonsense" for name in NAMES.values()])},
            FORGED,
        ]
        assert len(shown) == MOST
        async with town.at(address, prefix) as client:
            for headers in shown:
                assert (await client.get(f"/wallets/{nobody}", headers=headers)).status_code in {401, 404}
            for headers in shown:
                problem(await client.get(f"/wallets/{nobody}", headers=headers), 429, "too_many_requests")


async def test_three_apis_count_one_address_together_and_never_the_payment_channel(town: CountingTown) -> None:
    async with town.at(HOME, WALLET) as channel:
        for _ in range(2 * MOST):
            assert (await channel.post("/checkout/webhook", content=b"{}")).status_code == 401
    statuses = []
    for prefix in (WALLET, MERCHANT, CITY) * 3:
        async with town.at(HOME, prefix) as client:
            statuses.append((await client.post("/sign-in", json={})).status_code)
    assert statuses == [422] * MOST + [429] * 3


async def test_a_browsers_cookie_is_a_sign_in_like_a_bearers_token(town: CountingTown) -> None:
    who = await town.resident()
    token = await town.resident_token(who)
    kept = {"cookie": f"{NAMES[Audience.WALLET].access}={token}", "sec-fetch-site": "same-origin"}
    async with town.at(HOME, WALLET) as browser, town.at(AWAY, WALLET, token) as phone:
        for _ in range(MOST // 2):
            assert (await browser.get(f"/wallets/{who.wallet.id}", headers=kept)).status_code == 200
            assert (await phone.get(f"/wallets/{who.wallet.id}")).status_code == 200
        assert (await browser.get(f"/wallets/{who.wallet.id}", headers=kept)).status_code == 429
        assert (await browser.get("/programmes")).status_code == 200


def test_a_till_and_a_family_never_meet_the_usual_numbers() -> None:
    """A clerk who takes a payment each second with four requests; 400 sign-ins a minute of one address."""
    now, usual = Time(), Settings.from_env({})
    counted = Rates(Meter(usual.requests_per_account, now), Meter(usual.requests_per_address, now))
    for _ in range(1_800):
        for _ in range(4):
            counted.accounts.take("clerk")
        now.ns += SECOND
    for _ in range(10):
        for _ in range(400 * 6):
            counted.take_address(HOME)
        now.ns += MINUTE


def test_no_number_counts_nobody() -> None:
    unlimited = Rates()
    for _ in range(30):
        unlimited.take_address(HOME)
        unlimited.accounts.take("x")
    assert len(unlimited.addresses) == len(unlimited.accounts) == 0
