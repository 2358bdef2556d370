"""The worker closes what is due, in order, and nothing twice."""

from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read as campaigns
from services.campaigns.terms import ClosingRhythm
from services.settlement.close import Close, close
from services.settlement.due import closings_due
from tests.settlement.office import FINAL, FIRST, Office, at
from tests.town import CODE, Town, town_terms


async def work_off(town: Town) -> list[tuple[str, date]]:
    """What a worker does in one round: list, then close one by one."""
    due = await town.do(closings_due, 1_000)
    for each in due:
        await town.do(close, Close(each.programme_code, each.closing_date, None))
    return [(each.programme_code, each.closing_date) for each in due]


async def test_every_programme_is_closed_on_its_own_calendar(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    await town.programme(town_terms(rhythm=ClosingRhythm.WEEKLY), code="moonlight")
    assert await work_off(town) == [("moonlight", date(2026, 4, 3))]
    assert await work_off(town) == []
    town.go_to(at(date(2026, 4, 18)))
    found = await work_off(town)
    assert found == [("moonlight", date(2026, 4, 10)), (CODE, FIRST), ("moonlight", date(2026, 4, 17))]
    assert await work_off(town) == []


async def test_no_more_are_listed_than_asked_for_the_oldest_first(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(town_terms(rhythm=ClosingRhythm.DAILY))
    due = await town.do(closings_due, 3)
    assert [each.closing_date.day for each in due] == [1, 2, 3]


async def test_after_the_end_only_deeds_make_a_close_due(engine: AsyncEngine) -> None:
    town = Town(engine)
    office, _ = Office(town), await town.programme(town_terms(rhythm=ClosingRhythm.DAILY))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    bought = await town.pay_store(who, shop, 8_000)
    town.go_to(at(date(2026, 10, 14)))
    await town.refund(shop, bought, 8_000)
    office.morning_after(FINAL)
    found = await work_off(town)
    assert found[-1][1] == date(2026, 10, 14)
    town.go_to(at(date(2026, 10, 17)))
    await town.pay_store(who, shop, 700)
    town.wait(hours=1)
    assert await work_off(town) == [], "the day of the deed is not over"
    town.go_to(at(date(2026, 10, 20)))
    assert await work_off(town) == [(CODE, date(2026, 10, 19))]
    town.go_to(at(date(2026, 12, 1)))
    assert await work_off(town) == []
    await town.must_prove()


async def test_no_programme_is_left_out_however_many_there_are(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "MAX_PROGRAMMES", 1)
    town = Town(engine)
    for code in ("first", "second", "third"):
        await town.programme(town_terms(rhythm=ClosingRhythm.DAILY), code=code)
    closed = await work_off(town)
    assert [each[0] for each in closed[:3]] == ["first", "second", "third"]
    assert len(closed) == 15, "five days of each"
