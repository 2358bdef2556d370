"""A store's own insight over HTTP: for its owner and managers, in their language; nobody else's store exists."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import locales
from analytics.desk.messages import StoreFigure, StoreQuestion, StoreTold
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.merchants.shops import MemberRole
from tests.http_town import URL, HttpTown, done, problem, town_keys
from tests.merchant_api.test_members import promote
from tests.town import Shop

TOLD = StoreTold(
    datetime(2026, 5, 1, tzinfo=UTC),
    [("2026-04-06", 500)],
    [(12, 500)],
    [
        StoreFigure("sales", 500, 4_200, None, None),
        StoreFigure("repeat_share", None, None, "few_customers", "few_similar"),
    ],
    "category_class",
    10,
    5,
)


class Answering:
    """Plays the desk: notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[StoreQuestion] = []

    async def ask(self, asked: object) -> None:
        raise AssertionError("no measure was asked for")

    async def chart(self, asked: object) -> None:
        raise AssertionError("no chart was asked for")

    async def store(self, asked: StoreQuestion) -> StoreTold:
        self.asked.append(asked)
        return TOLD

    async def close(self) -> None:
        self.asked.clear()


class Scene:
    town: HttpTown
    desk: Answering
    shop: Shop

    @property
    def path(self) -> str:
        return f"/stores/{self.shop.id}/insight"


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    made = Scene()
    made.town, made.desk = HttpTown(engine), Answering()
    made.town.built = build_town(
        made.town.database, town_keys(), public_url=URL, password_cost=CHEAPEST, insight=made.desk
    )
    await made.town.programme()
    made.shop = await made.town.shop()
    return made


async def test_an_owner_reads_the_store_s_month_in_her_own_language(scene: Scene) -> None:
    await promote(scene.town, scene.shop, MemberRole.OWNER)
    owner = scene.town.as_clerk(scene.shop)
    told = done(await owner.get(f"{scene.path}?month=2026-04", headers={"accept-language": "en"}))
    assert scene.desk.asked == [StoreQuestion(scene.shop.code, date(2026, 4, 1))]
    assert told == {
        "month": "2026-04",
        "refreshed_at": "2026-05-01T00:00:00Z",
        "days": [{"day": "2026-04-06", "sales_yen": 500}],
        "hours": [{"hour": 12, "sales_yen": 500}],
        "figures": [
            {"measure": "sales", "title": "Sales", "own": 500, "median": 4_200, "withheld": []},
            {
                "measure": "repeat_share",
                "title": locales.text("en", "measure.repeat_share"),
                "own": None,
                "median": None,
                "withheld": [
                    "Not shown: fewer than 10 people paid here.",
                    "No median: fewer than 5 other merchants have a store like this one.",
                ],
            },
        ],
        "similar": "Same category and class",
    }


async def test_a_manager_reads_it_and_for_a_clerk_or_a_stranger_there_is_no_such_thing(scene: Scene) -> None:
    other = await scene.town.shop()
    await promote(scene.town, other, MemberRole.OWNER)
    query = f"{scene.path}?month=2026-04"
    problem(await scene.town.as_clerk(scene.shop).get(query), 404, "not_found")
    problem(await scene.town.as_clerk(other).get(query), 404, "not_found")
    assert scene.desk.asked == []
    await promote(scene.town, scene.shop, MemberRole.MANAGER)
    done(await scene.town.as_clerk(scene.shop).get(query))


@pytest.mark.parametrize("query", ["", "?month=2026-13", "?month=2026-04-01", "?month=2026-04&store=S1"])
async def test_only_a_whole_month_can_be_asked_for(scene: Scene, query: str) -> None:
    await promote(scene.town, scene.shop, MemberRole.OWNER)
    problem(await scene.town.as_clerk(scene.shop).get(scene.path + query), 422, "invalid_request")
    assert scene.desk.asked == []
