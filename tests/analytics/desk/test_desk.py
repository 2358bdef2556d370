"""Questions are answered by a process beside the server, within their time, or refused in words."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.desk.desk import DeskBusy, InsightDesk
from analytics.desk.messages import Answered, Asked, Cell
from analytics.lake.manifest import LakeMissing, LakeSourceLost
from analytics.lake.write import write_frames
from analytics.measures.measure import MeasureUnknown
from analytics.measures.question import PeriodOpen, Question
from tests.analytics.hand import april, frame, on

NOW = datetime(2026, 4, 10, tzinfo=UTC)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[InsightDesk]:
    opened = InsightDesk(tmp_path, None, longest_s=120)
    yield opened
    await opened.close()


async def test_a_desk_answers_as_the_measures_do_and_sees_a_new_lake(tmp_path: Path, desk: InsightDesk) -> None:
    sales = Question("sales", ("day", "purse"), first=april(6), last=april(6))
    with pytest.raises(LakeMissing):
        await desk.ask(Asked(sales))
    rows: list[dict[str, Any]] = [{"amount_yen": 100}, {"at": on(5), "amount_yen": 7}]
    write_frames(tmp_path, {"spending": frame("spending", rows)}, NOW)
    told = await desk.ask(Asked(sales, before=True))
    assert told == Answered(
        NOW,
        [Cell(["2026-04-06", "common"], 100, 1, 1, 1.0)],
        [Cell(["2026-04-05", "common"], 7, 1, 1, 1.0)],
    )
    write_frames(tmp_path, {"spending": frame("spending", [{"amount_yen": 5}])}, NOW)
    [total] = (await desk.ask(Asked(Question("sales")))).cells
    assert total.value == 5
    [share] = (await desk.ask(Asked(Question("won_share")))).cells
    assert share.value is None
    with pytest.raises(PeriodOpen):
        await desk.ask(Asked(Question("sales"), before=True))


async def test_today_without_a_database_is_refused_in_words_and_the_days_before_are_told(tmp_path: Path) -> None:
    write_frames(tmp_path, {"spending": frame("spending", [{"amount_yen": 5}])}, NOW)
    desk = InsightDesk(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing", longest_s=120)
    try:
        with pytest.raises(LakeSourceLost):
            await desk.ask(Asked(Question("sales"), live=True))
        answering = desk.process_id
        [total] = (await desk.ask(Asked(Question("sales")))).cells
        assert (total.value, desk.process_id) == (5, answering)
    finally:
        await desk.close()


async def test_what_may_not_be_asked_is_refused_without_a_process(desk: InsightDesk) -> None:
    with pytest.raises(MeasureUnknown):
        await desk.ask(Asked(Question("phones")))
    assert desk.process_id is None


async def test_a_question_that_takes_too_long_ends_with_its_process(tmp_path: Path) -> None:
    """An hour would not help: the time is over before a process can have started."""
    desk = InsightDesk(tmp_path, None, longest_s=0.0)
    with pytest.raises(DeskBusy):
        await desk.ask(Asked(Question("sales", first=date(2026, 1, 1))))
    assert desk.process_id is None


async def test_whoever_waits_too_long_a_queue_is_told_to_come_back(
    desk: InsightDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.desk.desk.MOST_WAITING", 1)
    first = asyncio.create_task(desk.ask(Asked(Question("sales"))))
    await asyncio.sleep(0)
    with pytest.raises(DeskBusy):
        await desk.ask(Asked(Question("sales")))
    with pytest.raises(LakeMissing):
        await first


async def test_an_asker_who_went_away_leaves_no_answer_for_the_next(tmp_path: Path, desk: InsightDesk) -> None:
    write_frames(tmp_path, {"spending": frame("spending", [{"amount_yen": 5}])}, NOW)
    await desk.ask(Asked(Question("sales")))
    gone = asyncio.create_task(desk.ask(Asked(Question("payments"))))
    await asyncio.sleep(0)  # it has asked, and not been answered
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    [sales] = (await desk.ask(Asked(Question("sales")))).cells
    assert sales.value == 5


def test_the_server_s_side_loads_none_of_the_libraries_that_answer() -> None:
    """A payment server must not pay for analytics: neither at its start nor in memory."""
    import subprocess

    heavy = ["pandas", "ibis", "duckdb", "pyarrow", "adbc_driver_postgresql"]
    code = f"import city_api.app, infra.server, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]", found.stdout + found.stderr
