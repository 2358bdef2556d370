"""Whoever owns an account hears of sign-ins on new clients and of sessions that others ended; nobody is flooded."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.count_notice import CountNotice, count_notice
from services.identity.notice import MOST_TOLD, About
from services.identity.people import Role
from tests.http_town import CITY, WALLET, Client, HttpTown, done, problem

PHONE, E164 = "090-3333-4444", "+819033334444"
EMAIL, PASSWORD = "approver@city.example.jp", "tsuki-to-hoshi-88"
NEW_CLIENT, COPIED = "新しい端末", "二か所"


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


async def sign_in(town: HttpTown, *, language: str = "", **body: str) -> dict[str, Any]:
    """A resident by a one-time code; `language` is what the client asks for."""
    town.wait(minutes=15)
    client = town.client(WALLET)
    asked = done(await client.post("/sign-in/codes", json={"phone": PHONE}), 202)
    code = re.search(r"\d{6}", town.built.outbox.messages()[0].text)
    assert code
    headers = {"accept-language": language} if language else {}
    body |= {"attempt_id": asked["attempt_id"], "code": code[0], "earlier_refresh_token": body.get("earlier", "")}
    body.pop("earlier", None)
    return done(await client.post("/sign-in", json={key: each for key, each in body.items() if each}, headers=headers))


async def staff_in(town: HttpTown, **body: str) -> dict[str, Any]:
    await town.as_staff(Role.APPROVER)
    return done(await town.client(CITY).post("/sign-in", json={"email": EMAIL, "password": PASSWORD} | body))


def heard(town: HttpTown, address: str, about: str) -> list[str]:
    return [each.text for each in town.built.outbox.messages() if each.phone == address and about in each.text]


async def test_a_resident_hears_of_a_sign_in_on_a_new_client_and_of_none_on_their_own(town: HttpTown) -> None:
    first = await sign_in(town)
    assert not heard(town, E164, NEW_CLIENT), "the account was opened by this very client"
    await sign_in(town, earlier=first["refresh_token"])
    assert not heard(town, E164, NEW_CLIENT)
    await sign_in(town)
    [told] = heard(town, E164, NEW_CLIENT)
    assert "窓口" in told and re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", told)
    assert "python-httpx" not in told, "a notice that quotes a stranger's client would say what the stranger wants"


async def test_staff_hear_of_a_sign_in_on_a_new_client_after_their_second_factor(town: HttpTown) -> None:
    first = await staff_in(town)
    assert len(heard(town, EMAIL, NEW_CLIENT)) == 1, "whoever opened the account knows its first password"
    await staff_in(town, earlier_refresh_token=first["refresh_token"])
    assert len(heard(town, EMAIL, NEW_CLIENT)) == 1
    await staff_in(town)
    assert len(heard(town, EMAIL, NEW_CLIENT)) == 2


async def test_an_account_is_told_five_times_a_day_whatever_comes_at_once(town: HttpTown) -> None:
    account_id = (await town.resident()).account_id
    asked = CountNotice(account_id, About.SIGN_IN)
    taken = await asyncio.gather(*(town.do(count_notice, asked) for _ in range(3 * MOST_TOLD)))
    assert sum(taken) == MOST_TOLD
    assert await town.do(count_notice, CountNotice(account_id, About.END)), "many sign-ins hide no end of a session"
    town.wait(hours=24)
    assert await town.do(count_notice, asked)


async def test_whoever_signs_in_too_often_is_let_in_and_told_of_no_more(town: HttpTown) -> None:
    await sign_in(town)
    account_id = (await sign_in(town))["account_id"]
    for _ in range(MOST_TOLD):
        await town.do(count_notice, CountNotice(account_id, About.SIGN_IN))
    await sign_in(town)
    assert len(heard(town, E164, NEW_CLIENT)) == 1


async def test_a_notice_is_in_the_language_of_a_client_that_was_there_before(town: HttpTown) -> None:
    own = await sign_in(town, language="en-GB,ja;q=0.5")
    await sign_in(town, language="ja")
    assert heard(town, E164, "signed in to on a new device"), "a new client chooses no words"
    await sign_in(town, language="ja-simple", earlier=own["refresh_token"])
    await sign_in(town)
    assert heard(town, E164, "あたらしい きかい")


async def test_who_cannot_be_told_is_let_in(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    await sign_in(town)
    sent = type(town.built.outbox).send

    async def fails(outbox: Any, phone: str, text: str) -> None:
        if NEW_CLIENT in text:
            raise OSError("the gateway is away")
        await sent(outbox, phone, text)

    monkeypatch.setattr(type(town.built.outbox), "send", fails)
    assert (await sign_in(town))["access_token"]
    assert not heard(town, E164, NEW_CLIENT)


async def test_the_owner_hears_that_a_copy_of_a_sign_in_was_used(town: HttpTown) -> None:
    first = await sign_in(town)
    body = {"refresh_token": first["refresh_token"]}
    done(await town.client(WALLET).command("/sign-in/refresh", body))
    problem(await town.client(WALLET).command("/sign-in/refresh", body), 401, "refresh_reused")
    assert len(heard(town, E164, COPIED)) == 1
    problem(await town.client(WALLET).command("/sign-in/refresh", body), 401, "session_ended")
    assert len(heard(town, E164, COPIED)) == 1


async def told_once(client: Client, path: str, body: dict[str, Any]) -> None:
    """The same command twice is one deed."""
    key = str(client.headers["x-key"])
    done(await client.command(path, body, key=key))
    done(await client.command(path, body, key=key))


async def test_the_owner_hears_what_the_office_ended(town: HttpTown) -> None:
    who, approver = await town.resident(), await town.as_staff(Role.APPROVER)
    await town.as_staff(Role.OFFICER)
    officer = "officer@city.example.jp"
    approver.headers["x-key"] = town.new_key()
    await told_once(approver, f"/accounts/{who.account_id}/status", {"status": "disabled", "reason": "asked for it"})
    assert sum("アカウントを停止" in each.text for each in town.built.outbox.messages()) == 1
    client = town.client(CITY)
    done(await client.post("/sign-in", json={"email": officer, "password": PASSWORD}))
    approver.headers["x-key"] = town.new_key()
    path = f"/accounts/{town.account_of(Role.OFFICER)}/second-factor/reset"
    await told_once(approver, path, {"reason": "lost phone"})
    assert len(heard(town, officer, "二段階認証を解除")) == 1


async def test_the_owner_hears_of_a_new_password(town: HttpTown) -> None:
    mine = await staff_in(town)
    client = town.client(CITY, mine["access_token"])
    body = {"old_password": PASSWORD, "new_password": "hoshi-to-tsuki-99"}
    done(await client.command("/password", body))
    assert len(heard(town, EMAIL, "パスワードが変更")) == 1
