"""One deed, one transaction: committed before anyone hears of it, tried again only where that is safe."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from services.kit import audit
from services.kit.clock import TOKYO, SetClock
from services.kit.db import TRIES, Database, Tx, broken_constraint, sqlstate
from services.kit.errors import Busy, Missing
from services.kit.ids import SeededEntropy
from services.kit.numbers import parse_number

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)


def database_on(engine: AsyncEngine) -> Database:
    return Database(engine, SetClock(NOON), SeededEntropy(1))


async def entries(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM audit_entry"))).scalar_one())


def failing(code: str, times: int) -> tuple[Callable[[Tx, None], Awaitable[int]], list[int]]:
    """A use case that writes, then meets an error of PostgreSQL's in its first `times` runs."""
    runs: list[int] = []

    async def use_case(tx: Tx, _: None) -> int:
        runs.append(1)
        await audit.record(tx, None, "tried")
        if len(runs) <= times:
            await tx.connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"))
        return len(runs)

    return use_case, runs


async def test_an_answer_is_given_only_after_the_commit(engine: AsyncEngine) -> None:
    async def use_case(tx: Tx, _: None) -> str:
        await audit.record(tx, None, "happened")
        assert await entries(engine) == 0
        return "done"

    assert await database_on(engine).transact(use_case, None) == "done"
    assert await entries(engine) == 1


async def test_a_refusal_leaves_nothing_behind(engine: AsyncEngine) -> None:
    async def use_case(tx: Tx, _: None) -> None:
        await audit.record(tx, None, "happened")
        raise Missing()

    with pytest.raises(Missing):
        await database_on(engine).transact(use_case, None)
    assert await entries(engine) == 0


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_deadlock_or_serialization_failure_is_tried_again_whole(engine: AsyncEngine, code: str) -> None:
    use_case, runs = failing(code, TRIES - 1)
    assert await database_on(engine).transact(use_case, None) == TRIES == len(runs)
    assert await entries(engine) == 1


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_it_is_tried_three_times_and_then_we_are_busy(engine: AsyncEngine, code: str) -> None:
    use_case, runs = failing(code, 99)
    with pytest.raises(Busy) as caught:
        await database_on(engine).transact(use_case, None)
    assert len(runs) == TRIES == 3
    assert caught.value.params == {"retry_after_seconds": 1}
    assert await entries(engine) == 0


@pytest.mark.parametrize("code", ["55P03", "57014", "53100", "53200", "53300", "57P01", "08006", "58030", "58P01"])
async def test_a_slow_full_or_leaving_database_is_busy_and_not_asked_again(engine: AsyncEngine, code: str) -> None:
    use_case, runs = failing(code, 99)
    with pytest.raises(Busy):
        await database_on(engine).transact(use_case, None)
    assert len(runs) == 1
    assert await entries(engine) == 0


async def test_a_mistake_of_ours_is_neither_hidden_nor_tried_again(engine: AsyncEngine) -> None:
    use_case, runs = failing("42P01", 99)
    with pytest.raises(DBAPIError) as caught:
        await database_on(engine).transact(use_case, None)
    assert sqlstate(caught.value) == "42P01"
    assert len(runs) == 1


@pytest.mark.parametrize(("where", "heard"), [("md.c", Busy), ("aclchk.c", asyncpg.InsufficientPrivilegeError)])
async def test_a_database_that_may_not_use_its_files_is_busy_and_what_we_may_not_do_is_a_mistake(
    engine: AsyncEngine, where: str, heard: type[Exception]
) -> None:
    """PostgreSQL has one code for both: a disk that the system made read-only, and a right that we lack."""

    async def not_allowed(_tx: Tx, _: None) -> None:
        error = asyncpg.InsufficientPrivilegeError("could not open file")
        error.server_source_filename = where
        raise error

    with pytest.raises(heard):
        await database_on(engine).transact(not_allowed, None, direct=True)


async def test_a_right_that_we_lack_is_a_mistake_of_ours(engine: AsyncEngine) -> None:
    async def alter(tx: Tx, _: None) -> None:
        await tx.connection.execute(text("DELETE FROM ledger_posting"))

    with pytest.raises(DBAPIError, match="permission denied"):
        await database_on(engine).transact(alter, None)


async def test_a_pool_without_a_free_connection_is_busy(
    database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.app_engine(pool_size=1)
    monkeypatch.setattr(engine.sync_engine.pool, "_timeout", 0.05)
    try:
        async with engine.connect():
            with pytest.raises(Busy):
                await database_on(engine).transact(_nothing, None)
    finally:
        await engine.dispose()


async def _nothing(tx: Tx, _: None) -> None:
    await tx.connection.execute(text("SELECT 1"))


async def test_the_broken_constraint_has_a_name(engine: AsyncEngine) -> None:
    async def use_case(tx: Tx, _: None) -> None:
        values = "(gen_random_uuid(), 'T', gen_random_uuid(), 0, gen_random_uuid(), now(), now())"
        await tx.connection.execute(text(f"INSERT INTO till_code VALUES {values}"))

    with pytest.raises(IntegrityError) as caught:
        await database_on(engine).transact(use_case, None)
    assert broken_constraint(caught.value) == "ck_till_code_amount"
    assert sqlstate(caught.value) == "23514"
    assert broken_constraint(ValueError()) is None
    assert sqlstate(ValueError()) is None


async def test_a_deed_has_one_instant_and_entropy_of_its_own(engine: AsyncEngine) -> None:
    database = database_on(engine)

    async def use_case(tx: Tx, clock: SetClock) -> tuple[datetime, datetime]:
        first = tx.now
        clock.set(datetime(2027, 1, 1, tzinfo=UTC))
        return first, tx.now

    clock = database.clock
    assert isinstance(clock, SetClock)
    assert await database.transact(use_case, clock) == (NOON, NOON)

    async def names(tx: Tx, _: None) -> tuple[object, ...]:
        return tx.new_id(), tx.new_id(), tx.new_number("S", 7), tx.new_number("S", 7)

    one, two, number, other = await database.transact(names, None)
    assert one != two
    assert number != other
    assert parse_number(str(number), prefix="S") == number


async def test_dated_numbers_of_a_day_begin_alike_and_another_days_otherwise(engine: AsyncEngine) -> None:
    async def draw(tx: Tx, _: None) -> list[str]:
        return tx.new_dated_numbers("P", 10, 50)

    clock = SetClock(datetime(2026, 4, 6, 23, 59, 59, tzinfo=TOKYO))
    database = Database(engine, clock, SeededEntropy(1))
    first = await database.transact(draw, None)
    clock.advance(timedelta(seconds=1))
    second = await database.transact(draw, None)
    assert len({*first, *second}) == 100
    for number in (*first, *second):
        assert parse_number(number, prefix="P") == number
    [day], [next_day] = ({number[:3] for number in drawn} for drawn in (first, second))
    assert day < next_day
