"""A close claims its deeds in pieces, in as many statements for many stores as for few; each deed is claimed once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import start_of
from services.kit.db import Tx
from services.settlement.close import Close, close
from services.settlement.tables import claims
from services.settlement.tables.schema import ClaimRow
from tests.settlement.office import FIRST, SECOND, Office, Resting, counting
from tests.town import CODE, NOON, OFFICER, Town, town_terms

PAUSES = (0.0, 0.001)
PATIENCE_S = 30


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def heard(_: Tx) -> None:
    """Nothing happens."""


async def test_a_close_costs_the_same_statements_for_few_and_many_stores(town: Town, engine: AsyncEngine) -> None:
    office, _ = Office(town), await town.programme()
    who, other = await town.resident(), await town.resident()
    await town.buy(who, 3)
    await town.buy(other, 3)
    await town.pay_store(who, (await office.shops(1))[0], 2_000)
    async with counting(engine) as few:
        await office.close(FIRST)
    for shop in await office.shops(40):
        await town.pay_store(who, shop, 300)
        await town.pay_store(other, shop, 700)
    async with counting(engine) as many:
        books = await office.close(SECOND)
    assert books.statements == 40
    rest_of_few, rest_of_many = (_without_claims(sent) for sent in (few, many))
    assert len(rest_of_few) == len(rest_of_many) <= 12
    assert max(len(few) - len(rest_of_few), len(many) - len(rest_of_many)) <= 10, (
        "half a month in longer and longer pieces"
    )
    await town.must_prove()


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("legs", [1, 3, 100_000])
async def test_pieces_of_any_size_claim_every_deed_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, legs: int, pause: float
) -> None:
    """Deeds at the border of two pieces, as they grow where little is sold, and at both sides of the cut-off."""
    monkeypatch.setattr(claims, "LEGS_OF_A_PIECE", legs)
    office, _ = Office(town), await town.programme()
    who, small, large = await town.resident(), await town.shop(), await town.shop("large")
    await town.buy(who, 3)
    expected = {small.id: [0, 0], large.id: [0, 0]}
    border = start_of(town_terms().use.first) + timedelta(hours=1 + 2 + 4 + 8 + 16, days=8)
    cutoff, instant = start_of(FIRST + timedelta(days=1)), timedelta(microseconds=1)
    moments = [NOON, border - instant, border, border + instant, cutoff - instant, cutoff, cutoff + timedelta(hours=1)]
    for place, moment in enumerate(moments):
        shop = (small, large)[place % 2]
        town.go_to(moment)
        await town.pay_store(who, shop, 100 + place)
        expected[shop.id][moment >= cutoff] += 100 + place
    rests = 0

    async def rest(_: Tx) -> None:
        nonlocal rests
        rests += 1

    for turn, day in enumerate((FIRST, SECOND)):
        office.morning_after(day)
        books = await town.do(partial(close, rest=Resting(rest, pause)), Close(CODE, day, OFFICER))
        told = {store_id: record.statement.figures for store_id, record in (await office.told(books)).items()}
        assert {store_id: figures.payments_yen for store_id, figures in told.items()} == {
            store_id: yen[turn] for store_id, yen in expected.items() if yen[turn]
        }
    assert rests >= 4
    await town.must_prove()


@pytest.mark.parametrize("pause", PAUSES)
async def test_a_deed_that_commits_between_two_pieces_is_the_next_closes(town: Town, pause: float) -> None:
    """Its instant lies in a piece that is done: this close does not see it, the next one does, once."""
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    await town.pay_store(who, shop, 1_000)
    office.morning_after(FIRST)
    morning, rests = town.clock.now(), 0

    async def rest(_: Tx) -> None:
        nonlocal rests
        rests += 1
        if rests == 8:  # the last piece, with the first payment in it, has been claimed
            town.clock.set(NOON)
            await town.pay_store(who, shop, 234)
            town.clock.set(morning)

    books = await town.do(partial(close, rest=Resting(rest, pause)), Close(CODE, FIRST, OFFICER))
    assert rests > 8
    assert (await office.told(books))[shop.id].statement.figures.payments_yen == 1_000
    later = await office.close(SECOND)
    assert (await office.told(later))[shop.id].statement.figures.payments_yen == 234
    await town.must_prove()


@pytest.mark.parametrize("pause", PAUSES)
async def test_refunds_and_cancels_between_two_pieces_are_each_told_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    """Of payments that the close has claimed, and of those that it has yet to claim; all before its cut-off."""
    monkeypatch.setattr(claims, "LEGS_OF_A_PIECE", 2)
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    paid, moments = [], [NOON + timedelta(hours=18 * turn) for turn in range(12)]
    for moment in moments:
        town.go_to(moment)
        paid.append(await town.pay_store(who, shop, 300))
    office.morning_after(FIRST)
    morning, rests, pairs = town.clock.now(), 0, 0

    async def rest(_: Tx) -> None:
        nonlocal rests, pairs
        rests += 1
        if rests >= 8 and pairs < 3:  # the first payments have been claimed, the last have not
            town.clock.set(moments[pairs] + timedelta(minutes=1))
            await town.refund(shop, paid[pairs], 100 + pairs)
            town.clock.set(moments[-1 - pairs])
            await town.cancel(shop, paid[-1 - pairs])
            town.clock.set(morning)
            pairs += 1

    books = await town.do(partial(close, rest=Resting(rest, pause)), Close(CODE, FIRST, OFFICER))
    assert pairs == 3
    now = (await office.told(books))[shop.id].statement.figures
    later = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (now.payments_yen, later.payments_yen) == (3_600, 0)
    assert (now.refunded_yen, later.refunded_yen) == (0, 100 + 101 + 102)
    assert now.cancelled_yen > 0
    assert now.cancelled_yen + later.cancelled_yen == 3 * 300
    await town.must_prove()


@pytest.mark.parametrize("pause", PAUSES)
async def test_a_piece_knows_of_pauses_only_while_somebody_pays(town: Town, engine: AsyncEngine, pause: float) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 5_000)
    office.morning_after(FIRST)
    async with counting(engine) as sent:
        await town.do(partial(close, rest=Resting(heard, pause)), Close(CODE, FIRST, OFFICER))
    first, *others = [each for each in sent if f"INSERT INTO {ClaimRow.__tablename__}" in each]
    assert len(others) > 3
    assert first.count("pg_sleep") == 0
    assert {each.count("pg_sleep") for each in others} == {2 if pause else 0}, "where legs are found, and claimed"


async def test_a_piece_pauses_in_its_midst(town: Town, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PAUSES", 256)  # at every leg
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 5_000)
    office.morning_after(FIRST)
    closing = asyncio.create_task(town.do(partial(close, rest=Resting(heard, 1.0)), Close(CODE, FIRST, OFFICER)))
    asleep = text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')"
    )
    async with asyncio.timeout(PATIENCE_S), engine.connect() as connection:
        watching = await connection.execution_options(isolation_level="AUTOCOMMIT")  # else it would see one moment only
        while not (await watching.execute(asleep)).scalar_one():
            assert not closing.done()
            await asyncio.sleep(0.01)
    assert (await closing).statements == 1
    await town.must_prove()


def _without_claims(sent: Sequence[str]) -> list[str]:
    return [statement for statement in sent if f"INSERT INTO {ClaimRow.__tablename__}" not in statement]
