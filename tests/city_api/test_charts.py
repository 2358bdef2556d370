"""Charts over HTTP: the report's figures to the yen, in three languages, drawn once for each state of the lake."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import locales
from analytics.charts.catalogue import CHARTS
from analytics.charts.names import NAMES, Shape
from analytics.charts.theme import Look
from analytics.desk.desk import InsightDesk
from analytics.lake.lake import Lake
from analytics.lake.write import write_frames
from analytics.reports.gather import gather
from analytics.reports.gathered import Gathered
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from tests.http_town import CITY, URL, HttpTown, town_keys

REFRESHED = datetime(2026, 2, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    write_frames(root, make(CityPlan(residents=60, stores=20), np.random.default_rng(4)).frames, REFRESHED)
    return root


def report_of(lake: Path, names: tuple[str, ...]) -> Gathered:
    with Lake(lake) as source:
        return gather(source, names=names)


@pytest.fixture
async def root(request: pytest.FixtureRequest) -> Path:
    """The lake that the server has, unless a test brings its own."""
    found: Path = request.getfixturevalue("lake")
    return found


@pytest.fixture
async def analyst(engine: AsyncEngine, root: Path) -> AsyncIterator[httpx.AsyncClient]:
    town, desk = HttpTown(engine), InsightDesk(root, None, longest_s=120)
    built = build_town(town.database, town_keys(), public_url=URL, password_cost=CHEAPEST, insight=desk)
    token = (await town.as_staff(Role.ANALYST)).headers["authorization"]
    await town.open_sessions()
    transport = httpx.ASGITransport(built.app, raise_app_exceptions=False)
    headers = {"authorization": token}
    async with httpx.AsyncClient(transport=transport, base_url=URL + CITY, headers=headers) as client:
        yield client
    await desk.close()


@pytest.mark.parametrize("names", [("circulation", "hours", "ranking"), pytest.param(NAMES, marks=pytest.mark.long)])
async def test_a_chart_says_what_the_report_says_to_the_yen_on_any_screen(
    analyst: httpx.AsyncClient, lake: Path, names: tuple[str, ...]
) -> None:
    report = report_of(lake, names)
    for number, name in enumerate(names):
        language = locales.LANGUAGES[number % 3]
        figure, say = report.figure(name), partial(locales.text, language)
        told = await analyst.get(f"/insight/charts/{name}", headers={"accept-language": language})
        assert told.status_code == 200, told.text
        chart, table = told.json(), figure.table(say)
        assert chart["rows"] == [
            [f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else cell for cell in row] for row in table.rows
        ]
        assert chart["rows"] or name == "before_after"
        assert chart["spec"] == figure.spec(Look(say))
        assert [each["head"] for each in chart["columns"]] == list(table.heads)
        assert (chart["programme"], chart["last"]) == (report.programme, f"{report.last:%Y-%m-%d}")
        assert chart["programme_title"] == report.title == CityPlan().title
        by_suffix = await analyst.get(f"/insight/charts/{name}.csv", headers={"accept-language": language})
        by_accept = await analyst.get(
            f"/insight/charts/{name}", headers={"accept-language": language, "accept": "text/csv"}
        )
        assert by_suffix.content == by_accept.content == table.csv().encode("utf-8-sig")
        assert by_suffix.headers["content-type"] == "text/csv; charset=utf-8"
    query = {"shape": "phone", "programme": report.programme}
    narrow = await analyst.get("/insight/charts/hours", params=query, headers={"accept-language": "ja"})
    look = Look(partial(locales.text, "ja"), Shape.PHONE)
    assert narrow.json()["spec"] == report.figure("hours").spec(look) != report.figure("hours").spec(Look(look.say))


async def test_what_weighs_more_is_answered_and_json_where_nothing_does(analyst: httpx.AsyncClient) -> None:
    csv, plain = "text/csv; charset=utf-8", "application/json"
    expected = {
        "": plain,
        "*/*": plain,
        "text/html, application/xhtml+xml, */*;q=0.8": plain,
        "text/csv;q=0": plain,
        "text/csv;q=0, */*": plain,
        "text/csv;q=0.5, application/json": plain,
        "application/json, text/csv": plain,
        "*/*, text/csv": plain,
        "text/csv;q=0.1": csv,
        "TEXT/CSV, application/json": csv,
        "text/csv, */*;q=0.1": csv,
        "application/json;q=0.5, text/csv;q=0.9": csv,
        "application/json;q=0, text/csv;q=0.2, */*": csv,
    }
    for accept, media_type in expected.items():
        told = await analyst.get("/insight/charts/hours", headers={"accept": accept})
        assert (told.status_code, told.headers["content-type"]) == (200, media_type), accept


async def test_all_charts_are_listed_in_the_reader_s_language(analyst: httpx.AsyncClient) -> None:
    told = (await analyst.get("/insight/charts", headers={"accept-language": "ja-simple"})).json()["charts"]
    assert [each["name"] for each in told] == list(CHARTS)
    assert told[0]["title"] == locales.text("ja-simple", "insight.chart.circulation.title")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("/insight/charts/phones", 404, "chart_unknown"),
        ("/insight/charts/hours.xls", 404, "chart_unknown"),
        ("/insight/charts/hours?programme=moonlight", 422, "report_programme_unknown"),
        ("/insight/charts/hours?shape=poster", 422, "invalid_request"),
        ("/insight/charts/hours?resident=1", 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_in_words(
    analyst: httpx.AsyncClient, query: str, status: int, code: str
) -> None:
    refused = await analyst.get(query)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text


class TestOfALakeThatIsRefreshed:
    @pytest.fixture
    async def root(self, tmp_path: Path) -> Path:
        return tmp_path

    async def test_a_tag_holds_until_the_lake_is_refreshed(self, analyst: httpx.AsyncClient, root: Path) -> None:
        refused = await analyst.get("/insight/charts/circulation")
        assert (refused.status_code, refused.json()["code"]) == (409, "lake_missing")
        frames = make(CityPlan(residents=20, stores=20), np.random.default_rng(4)).frames
        write_frames(root, frames, REFRESHED)
        first = await analyst.get("/insight/charts/circulation")
        tag = {"if-none-match": f'"other", {first.headers["etag"]}'}
        again = await analyst.get("/insight/charts/circulation", headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        other_words = await analyst.get("/insight/charts/circulation", headers=tag | {"accept-language": "en"})
        assert other_words.status_code == 200
        write_frames(root, {**frames, "expiries": frames["expiries"].iloc[:0]}, REFRESHED)
        anew = await analyst.get("/insight/charts/circulation", headers=tag)
        assert anew.status_code == 200
        assert anew.json()["rows"] != first.json()["rows"]
