"""One request asked twice: through the fast door, and of the plain app that stands behind it.

The deed itself is played: `Played` notes which deed was asked for and answers what a test wants, so
that thousands of requests need no database. What real deeds answer is in test_fast_door_deeds.
"""

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine
from starlette.types import ASGIApp, Message, Receive, Scope

from infra.http.door import Door
from infra.http.tokens import new_token
from infra.town import Town, build_town
from services.identity.people import Role
from services.identity.tokens import Audience
from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.deeds import Deed, Done
from services.kit.ids import SeededEntropy
from services.kit.numbers import make_number
from services.payments.order import Order, PayByCode
from services.payments.payment import Mode, PartPaid, Receipt, StoreReceipt, for_the_store
from tests.http_town import MERCHANT, URL, WALLET, town_keys
from tests.town import NOON

NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere"
ACCOUNT, PLACE, KEY, SESSION = (UUID(f"019f3a00-0000-7000-8000-0000000000{n:02x}") for n in (0xA, 0xB, 0xC, 0xD))
STORE_CODE, TILL_CODE = make_number("S", 12_345, 7), make_number("T", 67_890, 8)
PAY_CODE = "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJ0YW5hYmF0YS1wYXkifQ.c2lnbmF0dXJl"
PATHS = {"wallet": f"{WALLET}/wallets/{{}}/payments", "merchant": f"{MERCHANT}/stores/{{}}/payments"}
TEXTS = {"wallet": "code", "merchant": "pay_code"}
CODES = {"wallet": STORE_CODE, "merchant": PAY_CODE}
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

Headers = tuple[tuple[bytes, bytes], ...]
RECEIPT = Receipt(
    UUID(int=1), "P1234567890", STORE_CODE, "星見商店 「本店」", Mode.MPM, 500,
    datetime(2026, 4, 6, 3, 0, 0, 120_000, UTC), 12_500, (PartPaid(UUID(int=2), UUID(int=3), 500),),
)  # fmt: skip
RECEIPTS: dict[str, Receipt | StoreReceipt] = {"wallet": RECEIPT, "merchant": for_the_store(RECEIPT)}


@dataclass(frozen=True)
class Request:
    """What a server hands to an app; `target` is the path as it was sent."""

    target: str
    headers: Headers
    chunks: tuple[bytes, ...]
    method: str = "POST"
    query: bytes = b""
    root_path: str = ""
    then: Literal["ends", "goes", "stays"] = "ends"
    """What the client does when it has sent its chunks: it has finished, hangs up, or lets us wait."""

    def with_header(self, name: bytes, *values: bytes) -> "Request":
        """These values of a header and no others."""
        rest = tuple(each for each in self.headers if each[0] != name)
        return replace(self, headers=(*rest, *((name, value) for value in values)))

    def with_body(self, *chunks: bytes) -> "Request":
        """Another body, its length stated truly."""
        stated = str(sum(map(len, chunks))).encode()
        return replace(self, chunks=chunks).with_header(b"content-length", stated)

    def scope(self) -> Scope:
        return {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 50_000), "scheme": "http", "state": {},
            "method": self.method, "root_path": self.root_path, "path": unquote(self.target),
            "raw_path": self.target.encode(), "query_string": self.query, "headers": list(self.headers),
        }  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """An answer but for the id of its request, which is another each time."""

    status: int
    headers: Headers
    body: bytes

    def without(self, name: bytes) -> "Reply":
        return replace(self, headers=tuple(each for each in self.headers if each[0] != name))


class Played:
    """Stands for the deeds: what was asked of it, and the answer that it gives, which may be an exception."""

    def __init__(self) -> None:
        self.asked: list[tuple[Deed, Order]] = []
        self.outcome: Done[Any] | Exception | None = None
        self.hangs = False

    def begin(self, deed: Deed, order: Order) -> asyncio.Future[Done[Any]]:
        return asyncio.ensure_future(self.perform(deed, order))

    async def perform(self, deed: Deed, order: Order) -> Done[Any]:
        self.asked.append((deed, order))
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            return self.outcome
        return Done(RECEIPTS["merchant" if isinstance(order, PayByCode) else "wallet"], replayed=False)


class Twins:
    """A town whose deeds are played, asked through the door and behind it."""

    def __init__(self) -> None:
        engine = create_async_engine(NOWHERE)  # never connects
        self.clock = SetClock(NOON)
        self.town: Town = build_town(Database(engine, self.clock, SeededEntropy(7)), town_keys(), public_url=URL)
        self.played = Played()
        self.town.context.payments.perform = self.played.perform  # type: ignore[method-assign]
        self.town.context.payments.begin = self.played.begin  # type: ignore[method-assign]
        self.replies: list[Reply] = []
        assert isinstance(self.town.app, Door)
        self.door = self.town.app

    @property
    def taken(self) -> int:
        return self.door.taken

    def token(self, audience: Audience, *roles: Role) -> bytes:
        return new_token(self.town.context, audience, ACCOUNT, roles, SESSION).encode()

    def good(self, api: str) -> Request:
        """A request that nothing is wrong with."""
        audience, role = (Audience.WALLET, Role.RESIDENT) if api == "wallet" else (Audience.MERCHANT, Role.MERCHANT)
        headers = (
            (b"host", b"localhost:8000"),
            (b"user-agent", b"twin/1"),
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer " + self.token(audience, role)),
            (b"idempotency-key", f'"{KEY}"'.encode()),
        )
        body = f'{{"{TEXTS[api]}": "{CODES[api]}", "amount_yen": 500}}'.encode()
        return Request(PATHS[api].format(PLACE), headers, ()).with_body(body)

    async def differ(self, request: Request) -> str | None:
        """How the two answers or the two deeds differ; None if they do not."""
        through, through_asked = await self._ask(self.door, request)
        behind, behind_asked = await self._ask(self.town.plain, request)
        self.replies.append(behind)
        if (through, through_asked) == (behind, behind_asked):
            return None
        return f"{request}\n  door:  {through} {through_asked}\n  plain: {behind} {behind_asked}"

    async def _ask(self, app: ASGIApp, request: Request) -> tuple[Reply, list[tuple[Deed, Order]]]:
        self.played.asked.clear()
        return await ask(app, request), list(self.played.asked)


@contextmanager
def no_log() -> Iterator[None]:
    """Answers of 500 are logged with their cause, which is right and long."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def ask(app: ASGIApp, request: Request) -> Reply:
    return await ask_in(app, request.scope(), request)


async def ask_in(app: ASGIApp, scope: Scope, request: Request) -> Reply:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receiving(request), send)
    return reply_of(sent)


def receiving(request: Request) -> Receive:
    chunks = request.chunks or (b"",)
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if request.then == "ends":
        waiting[-1]["more_body"] = False
    waiting.reverse()

    async def receive() -> Message:
        if not waiting and request.then == "stays":
            await asyncio.Event().wait()
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive


def reply_of(sent: Sequence[Message]) -> Reply:
    assert [each["type"] for each in sent[:1]] == ["http.response.start"], sent
    headers: Headers = tuple((bytes(name), bytes(value)) for name, value in sent[0]["headers"])
    body = b"".join(each.get("body", b"") for each in sent[1:])
    assert not sent[-1].get("more_body", False)
    [request_id] = [value for name, value in headers if name == b"x-request-id"]
    assert _ID.fullmatch(request_id), request_id
    if b"problem" in dict(headers)[b"content-type"]:
        assert b"urn:uuid:" + request_id in body
    told = tuple((name, b"*" if name == b"x-request-id" else value) for name, value in headers)
    return Reply(sent[0]["status"], told, body.replace(request_id, b"*"))
