"""Bulk reading: people are counted exactly, an alarm is raised and closed by somebody else, and then one waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.bad_setting import BadSetting
from infra.settings import Settings
from services.identity.bulk_reading import Limit, LookLimits
from services.identity.people import Role
from services.identity.tables import looks
from tests.http_town import Client, HttpTown, done, problem
from tests.town import Resident

WHY = {"reason": "a call"}
LIMITS = LookLimits(hour=Limit(3, 5), day=Limit(6, 8))


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine, look_limits=LIMITS)


async def look(client: Client, who: Resident) -> Any:
    return await client.get(f"/wallets/{who.wallet.number}", params=WHY)


async def open_alarms(town: HttpTown, role: Role = Role.AUDITOR) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(await (await town.as_staff(role)).get("/look-alarms"))["alarms"]
    return found


async def test_people_are_counted_not_looks_and_the_limit_is_exact(town: HttpTown) -> None:
    crowd, officer = [await town.resident() for _ in range(6)], await town.as_staff(Role.OFFICER)
    for who in crowd[:3]:
        for _ in range(3):
            done(await look(officer, who))
    assert await open_alarms(town) == []
    done(await look(officer, crowd[3]))
    [alarm] = await open_alarms(town)
    assert (alarm["span"], alarm["people"], alarm["allowed"]) == ("hour", 4, 3)
    assert alarm["looker_id"] == str(town.account_of(Role.OFFICER))
    town.wait(minutes=10)
    done(await look(officer, crowd[4]))
    answer = await look(officer, crowd[5])
    assert problem(answer, 429, "too_many_looks") == {"retry_after_seconds": 3_000}
    assert answer.headers["retry-after"] == "3000"
    done(await look(officer, crowd[0]))  # whom one has seen is seen again
    [alarm] = await open_alarms(town)
    assert alarm["people"] == 5
    town.wait(seconds=2_999)
    officer = await town.as_staff(Role.OFFICER)
    problem(await look(officer, crowd[5]), 429, "too_many_looks")
    town.wait(seconds=1)
    done(await look(officer, crowd[5]))


async def test_a_look_that_was_refused_leaves_nothing_behind(town: HttpTown) -> None:
    crowd, officer = [await town.resident() for _ in range(6)], await town.as_staff(Role.OFFICER)
    for who in crowd[:5]:
        done(await look(officer, who))
    problem(await look(officer, crowd[5]), 429, "too_many_looks")
    async with town.database.begin() as tx:
        query = "SELECT count(*) FROM audit_entry WHERE action = 'wallet.looked_at'"
        assert (await tx.connection.execute(text(query))).scalar_one() == 5
    another = await town.as_staff(Role.APPROVER)
    done(await look(another, crowd[5]))


async def test_every_way_to_look_counts_and_so_does_a_search_for_nobody(town: HttpTown) -> None:
    crowd = [await town.resident() for _ in range(3)]
    client = await town.as_staff(Role.OFFICER, Role.CALL_CENTRE)
    done(await look(client, crowd[0]))
    done(await client.get(f"/wallets/{crowd[1].wallet.number}/phones", params=WHY))
    done(await client.get(f"/wallets/{crowd[2].wallet.number}/residency", params=WHY))
    for way in ("cards", "declines"):
        done(await client.get(f"/wallets/{crowd[2].wallet.number}/{way}", params={"purpose": "complaint"}))
    nobody = {"purpose": "complaint", "by": {"type": "phone", "phone": "090-9999-0000"}}
    for _ in range(2):
        done(await client.post("/people/search", json=nobody))
    [alarm] = await open_alarms(town)
    assert alarm["people"] == 5
    problem(await client.post("/people/search", json=nobody), 429, "too_many_looks")


async def test_a_day_is_counted_for_itself(town: HttpTown) -> None:
    crowd = [await town.resident() for _ in range(9)]
    for who in crowd[:8]:
        done(await look(await town.as_staff(Role.OFFICER), who))
        town.wait(hours=1)
    assert [(each["span"], each["people"]) for each in await open_alarms(town)] == [("day", 8)]
    answer = await look(await town.as_staff(Role.OFFICER), crowd[8])
    assert problem(answer, 429, "too_many_looks") == {"retry_after_seconds": 16 * 3_600}


async def look_at_all(town: HttpTown, officer: Client, crowd: list[Resident]) -> int:
    await town.open_sessions()
    answers = await asyncio.gather(*(look(officer, who) for who in crowd))
    assert {each.status_code for each in answers} <= {200, 429}
    return sum(each.status_code == 200 for each in answers)


async def test_of_many_looks_at_once_as_many_as_allowed_are_shown(town: HttpTown) -> None:
    crowd, officer = [await town.resident() for _ in range(12)], await town.as_staff(Role.OFFICER)
    assert await look_at_all(town, officer, crowd) == LIMITS.hour.stop
    assert len(await open_alarms(town)) == 1


async def test_control_without_taking_turns_more_are_shown(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Awaitable[tuple[int, ...]]] = looks.people_since
    gathered = asyncio.Barrier(2)

    async def no_turn(*_: object) -> None:
        return None

    async def seen_together(*asked: Any) -> tuple[int, ...]:
        found = await real(*asked)
        await gathered.wait()
        return found

    crowd, officer = [await town.resident() for _ in range(6)], await town.as_staff(Role.OFFICER)
    for who in crowd[:4]:
        done(await look(officer, who))
    monkeypatch.setattr(looks, "take_turn", no_turn)
    monkeypatch.setattr(looks, "people_since", seen_together)
    assert await look_at_all(town, officer, crowd[4:]) == 2


async def test_an_alarm_is_closed_with_a_note_by_somebody_else_and_the_next_face_raises_another(town: HttpTown) -> None:
    crowd, officer = [await town.resident() for _ in range(5)], await town.as_staff(Role.OFFICER)
    for who in crowd[:4]:
        done(await look(officer, who))
    [alarm] = await open_alarms(town, Role.OFFICER)
    path, note = f"/look-alarms/{alarm['id']}/closing", {"note": "letters came back"}
    problem(await officer.command(path, note), 403, "second_officer_needed")
    auditor = await town.as_staff(Role.AUDITOR)
    problem(await auditor.command(path, {}), 422, "invalid_request")
    assert done(await auditor.command(path, note)) == {"id": alarm["id"]}
    problem(await auditor.command(path, note), 409, "look_alarm_closed")
    [closed] = done(await auditor.get("/look-alarms", params={"status": "closed"}))["alarms"]
    assert (closed["note"], closed["closed_by"]) == ("letters came back", str(town.account_of(Role.AUDITOR)))
    done(await look(officer, crowd[0]))
    assert await open_alarms(town) == []
    done(await look(officer, crowd[4]))
    assert [each["people"] for each in await open_alarms(town)] == [5]
    entries = done(await auditor.get("/audit"))["entries"]
    assert [each["action"] for each in entries].count("look.alarm_raised") == 2
    assert [each["action"] for each in entries].count("look.alarm_closed") == 1


@pytest.mark.parametrize("value", ["1/2/3", "5/4/9/9", "0/1/1/1", "a/b/c/d", "1/2/3/100001"])
def test_limits_that_are_none_stop_the_start(value: str) -> None:
    with pytest.raises(BadSetting, match="TANABATA_LOOK_LIMITS"):
        Settings.from_env({"TANABATA_LOOK_LIMITS": value})
    assert Settings.from_env({"TANABATA_LOOK_LIMITS": "3/5/6/8"}).look_limits == LIMITS
