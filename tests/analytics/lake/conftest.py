"""A town whose lake can be refreshed: the analyst's way in to the test's own database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics.lake.lake import Lake
from analytics.lake.refresh import Refreshed, refresh
from analytics.measures.ask import ask
from analytics.measures.question import Question
from infra.database.provision import DatabaseHandle


@pytest.fixture
def uri(database: DatabaseHandle) -> str:
    return database.insight_uri()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


Refresh = Callable[..., Awaitable[Refreshed]]


@pytest.fixture
def again(root: Path, uri: str) -> Refresh:
    """Refresh the test's lake, up to before a day of April 2026 or later."""

    async def run(end: date, **more: Any) -> Refreshed:
        return await asyncio.to_thread(refresh, root, uri, end=end, **more)

    return run


def total(root: Path, measure: str, **more: Any) -> Any:
    """A measure's one figure, from the lake's files alone."""
    with Lake(root) as lake:
        return ask(lake, Question(measure, **more))["value"].item()
