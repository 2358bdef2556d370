"""The audit log over HTTP: for the auditor alone, in pages that leave nothing out, and never unseen itself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.worker import Sealer
from services.identity.people import Role
from services.kit.audit import ENTRIES
from tests.http_town import Client, HttpTown, done, problem
from tests.town import CODE, NOON, OFFICER, Resident

WHY = {"reason": "she asked what is left"}


class Scene:
    def __init__(self, town: HttpTown, auditor: Client, people: list[Resident]) -> None:
        self.town = town
        self.auditor = auditor
        self.people = people

    async def read(self, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = done(await self.auditor.get("/audit", params=filters))["entries"]
        return found


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    """Two residents, looked at by two members of staff, an hour apart."""
    town = HttpTown(engine)
    await town.programme()
    people = [await town.resident(), await town.resident()]
    for who in people:
        for role in (Role.OFFICER, Role.APPROVER):
            done(await (await town.as_staff(role)).get(f"/wallets/{who.wallet.number}", params=WHY))
        town.wait(hours=1)
    return Scene(town, await town.as_staff(Role.AUDITOR), people)


async def test_only_the_auditor_reads_the_log(scene: Scene) -> None:
    for role in (Role.OFFICER, Role.APPROVER):
        problem(await (await scene.town.as_staff(role)).get("/audit"), 403, "forbidden")
    problem(await scene.town.client("/api/city/v1").get("/audit"), 401, "unauthenticated")
    assert len(await scene.read()) >= 6


async def test_an_entry_says_who_looked_at_whom_and_why(scene: Scene) -> None:
    [first] = await scene.read(
        subject_id=str(scene.people[0].wallet.id), actor_id=str(scene.town.account_of(Role.OFFICER))
    )
    assert (first["action"], first["detail"]) == ("wallet.looked_at", WHY)
    assert first["happened_at"] == "2026-04-06T03:00:00Z"


async def test_filters_are_all_held_at_once(scene: Scene) -> None:
    officer, second = str(scene.town.account_of(Role.OFFICER)), str(scene.people[1].wallet.id)
    looks = await scene.read(action="wallet.looked_at")
    assert len(looks) == 4
    assert [each["happened_at"] for each in looks] == sorted((each["happened_at"] for each in looks), reverse=True)
    assert {each["actor_id"] for each in await scene.read(actor_id=officer)} == {officer}
    assert len(await scene.read(action="wallet.looked_at", subject_id=second)) == 2
    assert len(await scene.read(action="wallet.looked_at", subject_id=second, actor_id=officer)) == 1
    assert await scene.read(action="wallet.looked") == []
    assert {each["actor_id"] for each in await scene.read(action="programme.proposed")} == {str(OFFICER)}


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"since": 0}, 4),
        ({"since": 1}, 2),
        ({"since": 3_601}, 0),
        ({"until": 0}, 0),
        ({"until": 1}, 2),
        ({"until": 3_600}, 2),
        ({"until": 3_601}, 4),
        ({"since": 0, "until": 3_600}, 2),
        ({"since": 3_600, "until": 3_601}, 2),
    ],
)
async def test_time_is_bounded_below_inclusively_and_above_exclusively(
    scene: Scene, bounds: dict[str, int], found: int
) -> None:
    asked = {name: (NOON + timedelta(seconds=seconds)).isoformat() for name, seconds in bounds.items()}
    assert len(await scene.read(action="wallet.looked_at", **asked)) == found


async def test_pages_show_everything_once_while_the_log_grows(scene: Scene) -> None:
    whole = [each["id"] for each in await scene.read()]
    seen: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = done(await scene.auditor.get("/audit", params={"limit": 2} | after))  # each adds an entry of its own
        seen += [each["id"] for each in page["entries"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert [each for each in seen if each in whole] == whole
    assert len(seen) == len(set(seen))


async def test_reading_is_an_entry_itself_and_says_what_was_asked(scene: Scene) -> None:
    who = str(scene.people[0].wallet.id)
    await scene.read(subject_id=who, since=NOON.isoformat())
    [entry] = await scene.read(action="audit.read", subject_id=who)
    assert entry["actor_id"] == str(scene.town.account_of(Role.AUDITOR))
    assert entry["detail"]["asked"]["subject_id"] == who
    assert entry["detail"]["asked"]["since"].startswith("2026-04-06")


async def test_an_entry_has_its_place_once_it_is_sealed(scene: Scene) -> None:
    assert {each["place"] for each in await scene.read(action="programme.proposed")} == {None}
    sealed = await Sealer(scene.town.database, ENTRIES).seal()
    assert [each["place"] for each in await scene.read(action="programme.proposed")] == [1]
    places = [each["place"] for each in await scene.read() if each["place"] is not None]
    assert sorted(places) == list(range(1, sealed + 1))


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"actor_id": "me"},
        {"since": "yesterday"},
        {"since": "2026-04-06T12:00:00"},
        {"until": "9999-12-31T00:00:00Z"},
        {"action": ""},
        {"action": "x" * 1_000},
        {"after": "1"},
        {"who": "me"},
    ],
)
async def test_what_cannot_be_asked_is_refused(scene: Scene, asked: dict[str, str]) -> None:
    problem(await scene.auditor.get("/audit", params=asked), 422, "invalid_request")


async def test_an_unknown_page_is_an_empty_one(scene: Scene) -> None:
    assert await scene.read(after=str(UUID(int=0))) == []
    assert CODE not in str(await scene.read(after=str(UUID(int=0))))
