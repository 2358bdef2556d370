"""One payment sent at once under a sign-in that is over and under one that is open: each hears what is so for it.

So does who sends it again when the sign-in has ended meanwhile.
"""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.end_session import end_own_sessions
from tests.http_town import Client, HttpTown
from tests.races.contest import until_blocked
from tests.town import Resident, Shop

_TURNS = 100
"""Of the loop: more than a request takes to come to where it waits."""


class Scene:
    """A resident and a store, each with a sign-in that was ended and one that is open."""

    def __init__(self, town: HttpTown, who: Resident, shop: Shop) -> None:
        self.town, self.who, self.shop = town, who, shop

    async def signed_in(self, api: str) -> tuple[Client, Client]:
        """The ended one and the open one."""
        account_id = self.who.account_id if api == "wallet" else self.shop.clerk_id
        ended = self.sign_in(api)
        await self.town.open_sessions()
        await self.town.do(end_own_sessions, account_id)
        return ended, self.sign_in(api)

    def sign_in(self, api: str) -> Client:
        return self.town.as_resident(self.who) if api == "wallet" else self.town.as_clerk(self.shop)

    def payment(self, api: str, yen: int) -> tuple[str, dict[str, Any]]:
        if api == "wallet":
            return f"/wallets/{self.who.wallet.id}/payments", {"code": self.shop.code, "amount_yen": yen}
        return f"/stores/{self.shop.id}/payments", {"pay_code": self.town.code_of(self.who), "amount_yen": yen}


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 1_000)
    return Scene(town, who, shop)


def told(answer: httpx.Response) -> str:
    replayed = answer.headers.get("idempotent-replay") == "true"
    return "again" if replayed else "paid" if answer.status_code == 201 else str(answer.json()["code"])


@pytest.mark.parametrize("first", ["ended", "open"])
@pytest.mark.parametrize("api", ["wallet", "merchant"])
async def test_at_once_each_is_told_what_is_so_for_its_own_sign_in(scene: Scene, api: str, first: str) -> None:
    ended, signed_in = await scene.signed_in(api)
    path, body = scene.payment(api, 300)
    key = scene.town.new_key()
    senders = [ended, ended, signed_in, signed_in] if first == "ended" else [signed_in, signed_in, ended, ended]
    answers = await asyncio.gather(*(each.command(path, body, key=key) for each in senders))
    heard = [told(answer) for answer in answers]
    refused = ["session_ended"] * 2
    assert heard == ([*refused, "paid", "again"] if first == "ended" else ["paid", "again", *refused])
    assert await scene.town.points(scene.who) == 700
    await scene.town.must_prove()


async def test_other_content_is_not_told_to_a_sign_in_that_is_over(scene: Scene) -> None:
    ended, signed_in = await scene.signed_in("wallet")
    key = scene.town.new_key()
    (path, body), (_, other) = scene.payment("wallet", 300), scene.payment("wallet", 301)
    sent = [(signed_in, body), (ended, other), (signed_in, other), (signed_in, body)]
    answers = await asyncio.gather(*(each.command(path, asked, key=key) for each, asked in sent))
    assert [told(each) for each in answers] == ["paid", "session_ended", "idempotency_key_reused", "again"]
    await scene.town.must_prove()


async def test_a_sum_that_was_too_much_is_corrected_under_the_same_id(scene: Scene) -> None:
    """A refusal burns no id, however soon the next one comes."""
    _, signed_in = await scene.signed_in("wallet")
    key = scene.town.new_key()
    (path, body), (_, less) = scene.payment("wallet", 1_001), scene.payment("wallet", 1_000)
    answers = await asyncio.gather(*(signed_in.command(path, each, key=key) for each in (body, less, body, less)))
    heard = [told(each) for each in answers]
    assert heard[:2] + heard[3:] == ["points_missing", "paid", "again"]
    # Of the sum that was too much, sent again: the first's outcome, or what the id came to stand for if that was begun.
    assert heard[2] in {"points_missing", "idempotency_key_reused"}
    assert await scene.town.points(scene.who) == 0
    await scene.town.must_prove()


@pytest.mark.parametrize("api", ["wallet", "merchant"])
async def test_a_repeat_that_comes_when_the_sign_in_is_over_has_no_share_in_the_first(
    engine: AsyncEngine, scene: Scene, api: str
) -> None:
    """Whether the sign-in holds was asked for the first before it ended; for the repeat it is asked anew."""
    signed_in, key = scene.sign_in(api), scene.town.new_key()
    await scene.town.open_sessions()
    path, body = scene.payment(api, 300)
    async with engine.begin() as elsewhere:
        await elsewhere.execute(text("SELECT FROM wallet WHERE id = :id FOR UPDATE"), {"id": scene.who.wallet.id})
        first = asyncio.create_task(signed_in.command(path, body, key=key))
        await until_blocked(engine, 1, first)
        await scene.town.do(end_own_sessions, scene.who.account_id if api == "wallet" else scene.shop.clerk_id)
        repeats = [asyncio.create_task(signed_in.command(path, body, key=key)) for _ in range(2)]
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        assert not any(each.done() for each in repeats), "they wait for what the id comes to stand for"
    assert [told(each) for each in await asyncio.gather(first, *repeats)] == ["paid", *["session_ended"] * 2]
    assert await scene.town.points(scene.who) == 700
    await scene.town.must_prove()
