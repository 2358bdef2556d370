"""The city's figures over HTTP: who may ask what, and in which words it is refused."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.desk.messages import Answered, Asked, Cell
from analytics.measures.registry import MEASURES
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from tests.http_town import CITY, URL, HttpTown, town_keys

NOW = datetime(2026, 4, 10, tzinfo=UTC)


class Answering:
    """Plays the desk: notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def ask(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        cells = [Cell(["2026-04-06", 8], 100, 2, 1, 1.0), Cell(["2026-04-07", 9], None, 0, 0, 0.0)]
        return Answered(NOW, cells, cells[:1] if asked.before else None)

    async def chart(self, asked: object) -> None:
        raise AssertionError("no chart was asked for")

    async def store(self, asked: object) -> None:
        raise AssertionError("no store was asked for")

    async def close(self) -> None:
        self.asked.clear()


async def test_an_analyst_sees_every_measure_and_what_it_may_be_divided_by(engine: AsyncEngine) -> None:
    analyst = await HttpTown(engine).as_staff(Role.ANALYST)
    told = (await analyst.get("/measures")).json()["measures"]
    assert [each["name"] for each in told] == list(MEASURES)
    assert told[0] == {
        "name": "sales",
        "unit": "yen",
        "dimensions": list(MEASURES["sales"].dimensions),
        "minimum_cell": 10,
        "audience": ["city", "store", "public"],
    }


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("/measures/phones", 422, "measure_unknown"),
        ("/measures/sales?by=resident", 422, "dimension_unknown"),
        ("/measures/sales?where=wallet_id:1", 422, "dimension_unknown"),
        ("/measures/sales?where=hour:noon", 422, "filter_unfit"),
        ("/measures/sales?where=hour", 422, "invalid_request"),
        ("/measures/sales?by=day,hour,store,purse", 422, "question_too_wide"),
        ("/measures/sales?first=2026-04-02&last=2026-04-01", 422, "period_backwards"),
        ("/measures/sales?first=2026-04-02&compare=true", 422, "period_open"),
        ("/measures/sales?first=yesterday", 422, "invalid_request"),
        ("/measures/sales?phone=1", 422, "invalid_request"),
        ("/measures/sales", 409, "lake_missing"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_words(
    engine: AsyncEngine, query: str, status: int, code: str
) -> None:
    analyst = await HttpTown(engine).as_staff(Role.ANALYST)
    refused = await analyst.get(query)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text


async def test_a_question_reaches_the_desk_as_it_was_asked(engine: AsyncEngine) -> None:
    town, answering = HttpTown(engine), Answering()
    built = build_town(town.database, town_keys(), public_url=URL, password_cost=CHEAPEST, insight=answering)
    token = (await town.as_staff(Role.OFFICER)).headers["authorization"]
    await town.open_sessions()
    query = {
        "by": "day,hour",
        "where": "category:food,other;store:A:B",
        "first": "2026-04-06",
        "last": "2026-04-07",
        "compare": "true",
        "today": "true",
    }
    transport = httpx.ASGITransport(built.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        told = await client.get(f"{CITY}/measures/sales", params=query, headers={"authorization": token})
    assert told.status_code == 200, told.text
    assert json.loads(told.text) == {
        "measure": "sales",
        "unit": "yen",
        "by": ["day", "hour"],
        "refreshed_at": "2026-04-10T00:00:00Z",
        "cells": [
            {"by": ["2026-04-06", 8], "value": 100, "people": 2, "stores": 1, "top_store_share": 1.0},
            {"by": ["2026-04-07", 9], "value": None, "people": 0, "stores": 0, "top_store_share": 0.0},
        ],
        "before": [{"by": ["2026-04-06", 8], "value": 100, "people": 2, "stores": 1, "top_store_share": 1.0}],
    }
    [asked] = answering.asked
    assert (asked.live, asked.before) == (True, True)
    assert asked.question.by == ("day", "hour")
    assert asked.question.where == {"category": ("food", "other"), "store": ("A:B",)}
