"""A lost phone is blocked by a printed code or by the call centre; guessing keeps nobody out; the balance is safe."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.wallets.block_code import LOCATOR, TRIES, WINDOW
from services.wallets.wallet import DeviceBlocked
from tests.http_town import WALLET, Client, HttpTown, done, problem
from tests.town import Resident

GUESSES = 100


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def printed(client: Client, who: Resident, **options: Any) -> str:
    return str(done(await client.command(f"/wallets/{who.wallet.id}/block-code", {}, **options), 201)["code"])


async def report(town: HttpTown, code: str) -> Any:
    return await town.client(WALLET).post("/lost-phone", json={"code": code})


def wrong(code: str) -> str:
    """The same first signs, and the last one changed."""
    return code[:-1] + ("7" if code[-1] != "7" else "8")


async def test_the_printed_code_blocks_every_phone_and_ends_every_sign_in(town: HttpTown) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    client = town.as_resident(who)
    code = await printed(client, who)
    assert done(await report(town, code.lower().replace("-", " "))) == {"phones": 1, "sessions_ended": 1}
    problem(await client.get("/wallets"), 401, "session_ended")
    with pytest.raises(DeviceBlocked):
        await town.pay(who, shop, 100)
    assert await town.points(who) == 13_000
    assert "利用停止" in town.built.outbox.messages()[0].text
    problem(await report(town, code), 401, "block_code_refused")
    await town.must_prove()


async def test_a_lost_answer_shows_the_same_code_and_a_new_one_replaces_it(town: HttpTown) -> None:
    who = await town.resident()
    client, key = town.as_resident(who), town.new_key()
    code = await printed(client, who, key=key)
    assert await printed(client, who, key=key) == code
    newer = await printed(client, who)
    problem(await report(town, code), 401, "block_code_refused")
    assert done(await report(town, newer))["phones"] == 1


async def test_nothing_of_the_code_is_kept_but_its_first_signs_and_a_hash(town: HttpTown) -> None:
    who = await town.resident()
    signs = (await printed(town.as_resident(who), who)).replace("-", "")
    async with town.database.begin() as tx:
        query = "SELECT string_agg(t::text, ' ') FROM (SELECT block_code::text AS t FROM block_code UNION ALL " \
            "SELECT deed::text FROM deed UNION ALL SELECT audit_entry::text FROM audit_entry) x"  # fmt: skip
        kept = str((await tx.connection.execute(text(query))).scalar_one())
    assert signs[:LOCATOR] in kept
    assert "argon2id" in kept
    assert signs[LOCATOR:] not in kept


async def test_a_stranger_who_guesses_keeps_nobody_from_blocking(town: HttpTown) -> None:
    """Only who knows the first signs uses up tries, and only for an hour."""
    who = await town.resident()
    code = await printed(town.as_resident(who), who)
    for n in range(2 * TRIES):
        problem(await report(town, f"{n:06}-0000000000"), 401, "block_code_refused")
    for _ in range(TRIES):
        problem(await report(town, wrong(code)), 401, "block_code_refused")
    problem(await report(town, code), 429, "block_code_throttled")
    town.wait(seconds=WINDOW.total_seconds())
    assert done(await report(town, code))["phones"] == 1


@pytest.mark.parametrize("typed", ["", "123", "4GX2-9KQM-7T0P-1B3", "ＡＢＣ", "U" * 16, "é́" * 8, "0" * 200])
async def test_what_cannot_be_a_code_is_refused(town: HttpTown, typed: str) -> None:
    answer = await report(town, typed)
    assert (answer.status_code, answer.json()["code"]) in {(401, "block_code_refused"), (422, "invalid_request")}


async def guess_at_once(town: HttpTown, monkeypatch: pytest.MonkeyPatch, code: str) -> int:
    """How many of a hundred wrong guesses at once were compared with the hash."""
    compared: list[str | None] = []

    async def compare(stored: str | None, _secret: str, _cost: Any) -> bool:
        compared.append(stored)
        return False

    monkeypatch.setattr("services.wallets.lost_phone.compare_password", compare)
    await asyncio.gather(*(report(town, wrong(code)) for _ in range(GUESSES)))
    return sum(each is not None for each in compared)


async def test_of_a_hundred_guesses_at_once_five_are_compared(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    who = await town.resident()
    code = await printed(town.as_resident(who), who)
    assert await guess_at_once(town, monkeypatch, code) == TRIES


async def test_without_the_count_more_would_be_compared(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    who = await town.resident()
    code = await printed(town.as_resident(who), who)
    monkeypatch.setattr("services.wallets.lost_phone.TRIES", GUESSES)
    assert await guess_at_once(town, monkeypatch, code) > TRIES


async def test_the_call_centre_looks_and_blocks_and_all_of_it_is_recorded(town: HttpTown) -> None:
    who = await town.resident()
    centre = await town.as_staff(Role.CALL_CENTRE)
    path = f"/wallets/{who.wallet.number}/phones"
    problem(await centre.get(path), 422, "invalid_request")
    shown = done(await centre.get(path, params={"reason": "calls from a friend's phone"}))
    assert shown == {"phones": [{"name": "phone", "status": "active"}]}
    body = {"identified_by": "birth date and address", "reason": "phone left on a train"}
    assert done(await centre.command(f"{path}/block", body)) == {"phones": 1, "sessions_ended": 0}
    shown = done(await centre.get(path, params={"reason": "to be sure"}))
    assert shown == {"phones": [{"name": "phone", "status": "blocked"}]}
    entries = done(await (await town.as_staff(Role.AUDITOR)).get("/audit"))["entries"]
    by_centre = [each for each in entries if each["actor_id"] == str(town.account_of(Role.CALL_CENTRE))]
    assert sorted(each["action"] for each in by_centre) == [
        "wallet.phones_blocked",
        "wallet.phones_looked_at",
        "wallet.phones_looked_at",
    ]
    [blocked] = [each for each in by_centre if each["action"] == "wallet.phones_blocked"]
    assert blocked["detail"] == body | {"phones": 1}


@pytest.mark.parametrize("role", [Role.OFFICER, Role.APPROVER, Role.AUDITOR, Role.ANALYST])
async def test_nobody_else_of_the_city_blocks_phones(town: HttpTown, role: Role) -> None:
    who = await town.resident()
    body = {"identified_by": "x", "reason": "x"}
    answer = await (await town.as_staff(role)).command(f"/wallets/{who.wallet.number}/phones/block", body)
    problem(answer, 403, "forbidden")
