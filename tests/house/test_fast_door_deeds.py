"""Two towns with the same past, one asked through the fast door and one behind it, hear the same of real deeds.

Both have the same seed, clock and keys, so that even ids and receipts are the same to the last byte.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from infra.http.door import Door
from infra.phone import SandboxPhone
from services.identity.end_session import end_own_sessions
from services.identity.people import Role
from services.identity.tokens import Audience
from services.kit.db import UseCase
from services.kit.numbers import make_number
from services.merchants.add_member import AddMember, add_member
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import MemberRole, Status
from services.payments.till import MadeTillCode, MakeTillCode, make_till_code
from services.wallets.open import BlockDevice, SetWalletStatus, block_device, set_wallet_status
from tests.house.fast_door import PATHS, TEXTS, Reply, Request, ask
from tests.http_town import HttpTown
from tests.town import OFFICER, Resident, Shop, town_terms

C = TypeVar("C")
R = TypeVar("R")


class Pair:
    """A town and its copy; `do` happens in both, `send` asks both and compares."""

    def __init__(self, town: HttpTown, copy: HttpTown) -> None:
        self.town, self.copy = town, copy
        assert isinstance(town.built.app, Door)
        self.door = town.built.app
        self.sent = 0

    async def do(self, deed: Callable[[HttpTown], Awaitable[R]]) -> R:
        result, its_copy = await deed(self.town), await deed(self.copy)
        assert _text(result) == _text(its_copy)
        return result

    async def perform(self, use_case: UseCase[C, R], command: C) -> R:
        return await self.do(lambda town: town.do(use_case, command))

    def key(self) -> str:
        made, its_copy = self.town.new_key(), self.copy.new_key()
        assert made == its_copy
        return made

    def code_of(self, who: Resident) -> str:
        self.copy.code_of(who)
        return self.town.code_of(who)

    def wait(self, **step: float) -> None:
        self.town.wait(**step)
        self.copy.wait(**step)

    def request(self, api: str, who: UUID, place: UUID, body: dict[str, Any], key: str | None = None) -> Request:
        audience, role = (Audience.WALLET, Role.RESIDENT) if api == "wallet" else (Audience.MERCHANT, Role.MERCHANT)
        token, _ = self.town.token(audience, who, role), self.copy.token(audience, who, role)
        self.copy._to_open[-1] = self.town._to_open[-1]  # one token, and so one session, for both
        headers = (
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {token}".encode()),
            (b"idempotency-key", (key or self.key()).encode()),
        )
        return Request(PATHS[api].format(place), headers, ()).with_body(json.dumps(body).encode())

    async def send(self, request: Request, status: int, code: str | None = None) -> Reply:
        """The answer, which the door gave itself and the copy's plain app gave as well."""
        await self.town.open_sessions()
        await self.copy.open_sessions()
        reply = await ask(self.door, request)
        assert reply == await ask(self.copy.built.plain, request)
        assert reply.status == status, reply
        assert code is None or json.loads(reply.body)["code"] == code, reply
        self.sent += 1
        assert self.door.taken == self.sent
        return reply

    async def must_prove(self) -> None:
        for town in (self.town, self.copy):
            await town.must_prove()


def _text(value: object) -> str:
    """The value in words, without where it lies in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.fixture
async def second_engine(database_server: DatabaseHandle, template_database: str) -> AsyncIterator[AsyncEngine]:
    """Another empty database beside the test's own."""
    name = f"tanabata_test_{token_hex(6)}"
    server = database_server
    await create_database(server.migrator_url, name, template_database)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(drop_database, server.migrator_url, name)
        inside = replace(server, app_url=named(server.app_url, name), migrator_url=named(server.migrator_url, name))
        engine = inside.app_engine()
        stack.push_async_callback(engine.dispose)
        yield engine


@pytest.fixture
async def pair(engine: AsyncEngine, second_engine: AsyncEngine) -> Pair:
    made = Pair(HttpTown(engine), HttpTown(second_engine))
    terms = replace(town_terms(), payment_limit_yen=20_000, day_limit_yen=25_000)
    await made.do(lambda town: town.programme(terms))
    return made


async def inhabitants(pair: Pair, units: int = 1, store_class: str = "small") -> tuple[Resident, Shop]:
    who = await pair.do(lambda town: town.resident())
    shop = await pair.do(lambda town: town.shop(store_class))
    await pair.do(lambda town: town.buy(who, units))
    return who, shop


async def both_ways(
    pair: Pair, who: Resident, shop: Shop, yen: int, status: int = 409, code: str | None = None
) -> list[Reply]:
    """The payment by the store's code and by the resident's."""
    body = {"code": shop.code, "amount_yen": yen}
    first = await pair.send(pair.request("wallet", who.account_id, who.wallet.id, body), status, code)
    body = {"pay_code": pair.code_of(who), "amount_yen": yen}
    return [first, await pair.send(pair.request("merchant", shop.clerk_id, shop.id, body), status, code)]


async def test_payments_their_repetitions_and_other_content(pair: Pair) -> None:
    who, shop = await inhabitants(pair)
    pay_code = pair.code_of(who)
    asked = [("wallet", who.account_id, who.wallet.id, shop.code), ("merchant", shop.clerk_id, shop.id, pay_code)]
    for api, account_id, place, text in asked:
        key = pair.key()
        body = {TEXTS[api]: text, "amount_yen": 500}
        request = pair.request(api, account_id, place, body, key)
        first = await pair.send(request, 201)
        again = await pair.send(request, 201)
        assert (again.body, dict(again.headers)[b"idempotent-replay"]) == (first.body, b"true")
        other = pair.request(api, account_id, place, body | {"amount_yen": 501}, key)
        await pair.send(other, 422, "idempotency_key_reused")
        # What was sent to the door is the same deed to the plain app of the same town, and the other way round.
        assert again.headers == (await ask(pair.town.built.plain, request)).headers
        assert again.headers == (await ask(pair.copy.built.app, request)).headers
    assert await pair.do(lambda town: town.points(who)) == 12_000
    await pair.must_prove()


async def test_what_the_wallets_lots_and_limits_refuse(pair: Pair) -> None:
    poor, shop = await inhabitants(pair)
    large = await pair.do(lambda town: town.shop("large"))
    for reply in await both_ways(pair, poor, shop, 13_001, 409, "points_missing"):
        assert json.loads(reply.body)["params"]["missing_yen"] == 1
    for reply in await both_ways(pair, poor, large, 13_000, 409, "points_missing"):
        assert json.loads(reply.body)["params"]["idle"]
    rich, _ = await inhabitants(pair, units=3)
    await both_ways(pair, rich, shop, 20_001, 409, "payment_limit_reached")
    await both_ways(pair, rich, shop, 10_000, 201)
    await both_ways(pair, rich, shop, 5_001, 409, "day_limit_reached")
    pair.wait(days=300)
    await both_ways(pair, poor, shop, 1, 409, "programme_closed")
    await pair.must_prove()


async def test_suspension_and_blocking_are_heard_at_once(pair: Pair) -> None:
    who, shop = await inhabitants(pair)
    await both_ways(pair, who, shop, 1, 201)
    for status, answer in ((Status.SUSPENDED, 403), (Status.ACTIVE, 201)):
        await pair.perform(set_store_status, SetStoreStatus(OFFICER, shop.id, status, "a check"))
        await both_ways(pair, who, shop, 1, answer)
    for name, answer in (("suspended", 403), ("active", 201)):
        await pair.perform(set_wallet_status, SetWalletStatus(who.wallet.number, name, "a check", OFFICER))
        await both_ways(pair, who, shop, 1, answer)
    await pair.perform(block_device, BlockDevice(who.wallet.id, who.account_id, who.device.id))
    body = {"pay_code": pair.code_of(who), "amount_yen": 1}
    await pair.send(pair.request("merchant", shop.clerk_id, shop.id, body), 403, "device_blocked")
    await pair.must_prove()


async def test_codes_of_phones(pair: Pair) -> None:
    who, shop = await inhabitants(pair)
    now, wallet, device, jti = pair.town.clock.now(), who.wallet.id, who.device.id, UUID(int=9)
    used, late = pair.code_of(who), pair.code_of(who)
    codes = [
        (used, 201, None),
        (used, 409, "pay_code_used"),
        (f" {used} ", 409, "pay_code_used"),
        (SandboxPhone(bytes(32)).pay_code(wallet, device, now, jti), 422, "pay_code_forged"),
        (who.phone.pay_code(wallet, UUID(int=5), now, jti), 422, "device_unknown"),
        (who.phone.pay_code(UUID(int=5), device, now, jti), 404, "not_found"),
        (late[:-8] + "AAAAAAAA", 422, "pay_code_forged"),
        (late + "==", 422, "pay_code_malformed"),
        (late, 201, None),
        (late.replace(".", "", 1), 422, "pay_code_malformed"),
        (shop.code, 422, "pay_code_malformed"),
        ("   ", 422, "pay_code_malformed"),
    ]
    for text, status, code in codes:
        body = {"pay_code": text, "amount_yen": 1}
        await pair.send(pair.request("merchant", shop.clerk_id, shop.id, body), status, code)
    ahead, stale = pair.code_of(who), pair.code_of(who)
    for step, text, code in ((-120, ahead, "pay_code_clock"), (120 + 60, stale, "pay_code_expired")):
        pair.wait(seconds=step)
        request = pair.request("merchant", shop.clerk_id, shop.id, {"pay_code": text, "amount_yen": 1})
        await pair.send(request, 422, code)
    await pair.must_prove()


async def test_the_end_of_a_session_is_heard_at_once(pair: Pair) -> None:
    """By new payments, and by those whose answer is known."""
    who, shop = await inhabitants(pair)
    asked = (
        pair.request("wallet", who.account_id, who.wallet.id, {"code": shop.code, "amount_yen": 1}),
        pair.request("merchant", shop.clerk_id, shop.id, {"pay_code": pair.code_of(who), "amount_yen": 1}),
    )
    for request in asked:
        await pair.send(request, 201)
    for account_id in (who.account_id, shop.clerk_id):
        await pair.perform(end_own_sessions, account_id)
    for request in asked:
        await pair.send(request, 401, "session_ended")
        await pair.send(request.with_header(b"idempotency-key", pair.key().encode()), 401, "session_ended")
    await pair.must_prove()


async def test_codes_of_stores_and_registers(pair: Pair) -> None:
    who, shop = await inhabitants(pair)

    async def made() -> MadeTillCode:
        return await pair.perform(make_till_code, MakeTillCode(shop.clerk_id, shop.id, 770))

    till, unused = (await made()).code.number, (await made()).code.number
    bodies: list[tuple[dict[str, Any], int, str | None]] = [
        ({"code": till, "amount_yen": 771}, 422, "amount_differs"),
        ({"code": till, "amount_yen": 770}, 201, None),
        ({"code": till}, 409, "till_code_used"),
        ({"code": unused}, 201, None),
        ({"code": make_number("T", 1, 8)}, 404, "till_code_unknown"),
        ({"code": make_number("S", 1, 7), "amount_yen": 1}, 404, "store_unknown"),
    ]
    for body, status, code in bodies:
        await pair.send(pair.request("wallet", who.account_id, who.wallet.id, body), status, code)
    late = (await made()).code.number
    pair.wait(minutes=5)
    request = pair.request("wallet", who.account_id, who.wallet.id, {"code": late})
    await pair.send(request, 409, "till_code_expired")
    await pair.must_prove()


async def test_other_peoples_wallets_and_stores_and_ones_own(pair: Pair) -> None:
    who, shop = await inhabitants(pair)
    other, elsewhere = await inhabitants(pair)
    body: dict[str, Any] = {"code": shop.code, "amount_yen": 1}
    for place in (other.wallet.id, UUID(int=0)):
        await pair.send(pair.request("wallet", who.account_id, place, body), 404, "not_found")
    for place in (elsewhere.id, UUID(int=0)):
        taken = {"pay_code": pair.code_of(who), "amount_yen": 1}
        await pair.send(pair.request("merchant", shop.clerk_id, place, taken), 404, "not_found")
    word = AddMember(OFFICER, True, shop.id, who.account_id, MemberRole.CLERK, who.person_id)
    await pair.perform(add_member, word)
    await both_ways(pair, who, shop, 1, 403, "own_store")
    await pair.must_prove()
