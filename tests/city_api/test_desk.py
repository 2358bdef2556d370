"""The support desk: a person is found exactly or not at all, every look is recorded, and what is lost is stopped."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.kit.numbers import display_number
from services.residency.prove import AtTheCounter, prove_at_counter
from services.wallets.issue_card import IssueCard, issue_card
from tests.http_town import Client, HttpTown, done, problem, town_keys
from tests.town import OFFICER, Resident

WHY = {"purpose": "complaint", "note": "calls about a letter"}
STOP = {"identified_by": "birth date and address", "reason": "bag stolen"}


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def search(desk: Client, by: dict[str, Any], why: dict[str, Any] = WHY) -> Any:
    return await desk.post("/people/search", json={**why, "by": by})


async def people(desk: Client, **by: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(await search(desk, by))["people"]
    return found


async def named(town: HttpTown, who: Resident, name: str = "渡辺 花子") -> None:
    seen = AtTheCounter(who.person_id, OFFICER, name, "ワタナベ ハナコ", date(1950, 4, 1), "2540043", "licence")
    assert (await town.do(prove_at_counter, seen)).proven


async def hand_card(town: HttpTown, who: Resident) -> str:
    made = await town.do(issue_card, IssueCard(who.wallet.number, OFFICER, "x", "2580", town_keys().code_key))
    return made.number


async def entries(town: HttpTown, action: str) -> list[dict[str, Any]]:
    auditor = await town.as_staff(Role.AUDITOR)
    found: list[dict[str, Any]] = done(await auditor.get("/audit", params={"action": action}))["entries"]
    return found


async def test_a_person_is_found_by_whatever_they_know_of_themselves(town: HttpTown) -> None:
    who, other = await town.resident("090-1234-5678"), await town.resident()
    await named(town, who)
    card = await hand_card(town, who)
    desk = await town.as_staff(Role.CALL_CENTRE)
    expected = {
        "wallet_number": who.wallet.number,
        "wallet_status": "active",
        "name": "渡辺 花子",
        "contacts": [{"relation": "self", "status": "active", "address": "***-5678"}],
    }
    for by in (
        {"type": "phone", "phone": "０９０（1234）5678"},
        {"type": "name", "name": "渡邊花子", "birth_date": "1950-04-01"},
        {"type": "wallet", "wallet_number": display_number(who.wallet.number).lower()},
        {"type": "card", "card_number": card},
    ):
        assert await people(desk, **by) == [expected], by
    [found] = await people(await town.as_staff(Role.OFFICER), type="wallet", wallet_number=other.wallet.number)
    assert found["name"] is None


async def test_nothing_is_found_by_a_part_and_nobody_of_a_store_or_the_office_is_found_at_all(town: HttpTown) -> None:
    who, shop = await town.resident("090-1234-5678"), await town.shop()
    await named(town, who)
    desk = await town.as_staff(Role.CALL_CENTRE)
    for by in (
        {"type": "name", "name": "渡辺", "birth_date": "1950-04-01"},
        {"type": "name", "name": "渡辺 花子", "birth_date": "1950-04-02"},
        {"type": "name", "name": "%", "birth_date": "1950-04-01"},
        {"type": "phone", "phone": "090-1234-5679"},
        {"type": "email", "email": f"clerk-{shop.id.hex}@shop.example"},
        {"type": "email", "email": "call_centre@city.example.jp"},
    ):
        assert done(await search(desk, by)) == {"people": [], "more": False}, by
    problem(await search(desk, {"type": "phone", "phone": "1234"}), 422, "phone_malformed")
    problem(await search(desk, {"type": "email", "email": "@"}), 422, "email_malformed")
    problem(await search(desk, {"type": "name", "name": "渡辺 花子"}), 422, "invalid_request")


async def test_a_search_says_what_it_is_for_and_is_recorded_without_what_was_typed(town: HttpTown) -> None:
    who = await town.resident("090-1234-5678")
    desk = await town.as_staff(Role.CALL_CENTRE)
    by = {"type": "phone", "phone": "090-1234-5678"}
    problem(await search(desk, by, {}), 422, "invalid_request")
    problem(await search(desk, by, {"purpose": "curiosity"}), 422, "invalid_request")
    problem(await search(desk, by, {"purpose": "other"}), 422, "look_note_missing")
    problem(await search(desk, by, {"purpose": "other", "note": "x" * 201}), 422, "invalid_request")
    assert await entries(town, "person.searched") == []
    done(await search(desk, by))
    town.wait(seconds=1)
    done(await search(desk, {"type": "phone", "phone": "090-1234-5679"}))
    nobody, her = await entries(town, "person.searched")
    assert (her["actor_id"], her["subject_id"]) == (str(town.account_of(Role.CALL_CENTRE)), str(who.person_id))
    assert her["detail"] == WHY | {"by": "phone"}
    assert (nobody["subject_id"], nobody["detail"]) == (None, her["detail"])


async def test_a_search_that_cannot_be_recorded_shows_nothing(town: HttpTown, migrator_engine: AsyncEngine) -> None:
    await town.resident("090-1234-5678")
    desk = await town.as_staff(Role.CALL_CENTRE)
    async with migrator_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_entry ADD CHECK (action <> 'person.searched')"))
    answer = await search(desk, {"type": "phone", "phone": "090-1234-5678"})
    assert answer.status_code == 500
    assert "5678" not in answer.text


async def test_a_lost_card_is_frozen_by_its_holders_call_and_every_point_stays(town: HttpTown) -> None:
    who = await town.resident()
    await town.buy(who)
    number, desk = await hand_card(town, who), await town.as_staff(Role.CALL_CENTRE)
    path = f"/wallets/{who.wallet.number}/cards"
    assert done(await desk.get(path, params=WHY)) == {"cards": [{"number": number, "status": "active"}]}
    assert done(await desk.command(f"{path}/freeze", STOP)) == {"cards": 1}
    assert done(await desk.get(path, params=WHY))["cards"][0]["status"] == "frozen"
    assert "カード" in town.built.outbox.messages()[0].text
    [entry] = await entries(town, "card.frozen")
    assert {name: entry["detail"][name] for name in STOP} == STOP
    assert len(await entries(town, "wallet.cards_looked_at")) == 2
    officer = await town.as_staff(Role.OFFICER)
    done(await officer.command(f"/cards/{number}/status", {"status": "active", "reason": "found"}))
    problem(await desk.command(f"/cards/{number}/status", {"status": "active", "reason": "x"}), 403, "forbidden")
    assert await town.points(who) == 13_000
    stranger = await town.resident()
    problem(await desk.command(f"/wallets/{stranger.wallet.number}/cards/freeze", STOP), 404, "not_found")


async def test_the_desk_signs_a_person_out_everywhere_and_tells_them(town: HttpTown) -> None:
    who, other = await town.resident(), await town.resident()
    hers, his = town.as_resident(who), town.as_resident(other)
    done(await hers.get("/wallets"))
    done(await his.get("/wallets"))
    desk, key = await town.as_staff(Role.CALL_CENTRE), town.new_key()
    path = f"/wallets/{who.wallet.number}/sign-ins/end"
    for _ in range(2):
        assert done(await desk.command(path, STOP, key=key)) == {"sessions_ended": 1}
    problem(await hers.get("/wallets"), 401, "session_ended")
    done(await his.get("/wallets"))
    told = [each for each in town.built.outbox.messages() if "ログアウト" in each.text]
    assert len(told) == 1
    [entry] = await entries(town, "wallet.sign_ins_ended")
    assert entry["detail"] == STOP | {"sessions": 1}
