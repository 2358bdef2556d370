"""What goes wrong with one deed harms none of its neighbours; what goes wrong with all leaves nobody waiting."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from services.kit.db import broken_constraint
from services.kit.deeds import Done
from services.kit.errors import Busy
from services.kit.micro_batch import MOST_ALONE, MicroBatch
from tests.kit.notary import (
    Notary,
    Note,
    Noted,
    Poison,
    batch_on,
    handed_in,
    is_empty,
    meanwhile,
    named,
    noted,
    outcomes,
)

TRIES = 20
"""How often a client sends again after the database came back: more often than there are connections."""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("poison", Poison),
        ("broken", asyncpg.CheckViolationError),
        ("broken-otherwise", IntegrityError),
    ],
)
async def test_one_that_is_poisoned_harms_none_of_its_neighbours(
    engine: AsyncEngine, words: str, error: type[Exception]
) -> None:
    notary = Notary()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(each)) for each in ("a", words, "b", words + " too")))
    assert await outcomes(tasks) == ["a", error, "b", error]
    assert sorted(await noted(engine)) == ["a", "b", "first"]
    assert await is_empty(batch)


async def test_one_alone_that_breaks_a_constraint_is_told_so_and_may_be_sent_again(engine: AsyncEngine) -> None:
    batch, key = batch_on(engine, Notary()), uuid4()
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await batch.perform(*named(Note("broken"), key))
    assert broken_constraint(caught.value) == "ck_till_code_amount"
    assert not (await batch.perform(*named(Note("whole"), key))).replayed
    assert await noted(engine) == ["whole"]


async def test_what_is_held_elsewhere_is_done_alone_and_batches_go_on_meanwhile(engine: AsyncEngine) -> None:
    notary = Notary()
    notary.alone_go_on.clear()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        a, held, b = await handed_in(batch, *(named(Note(words)) for words in ("a", "held", "b")))
    await asyncio.gather(a, b)
    assert (await batch.perform(*named(Note("c")))).result.words == "c"
    assert not held.done()
    notary.alone_go_on.set()
    assert (await held).result.words == "held"
    assert sorted(notary.batches[1:]) == [["a", "held", "b"], ["c"], ["held"]]
    assert len(await noted(engine)) == 5


@pytest.mark.parametrize("others", ["plain", "done before"])
async def test_what_is_left_of_a_batch_is_not_alone(engine: AsyncEngine, others: str) -> None:
    """Whatever else the transaction holds, it does not wait for a lock in it."""
    notary, other = Notary(), named(Note("plain a"))
    batch = batch_on(engine, notary, plainly=others == "plain")
    if others == "done before":
        await batch.perform(*other)
    notary.alone_go_on.clear()
    async with meanwhile(batch, notary):
        done, held = await handed_in(batch, other, named(Note("held")))
    assert (await done).result.words == "plain a"
    assert not held.done()
    notary.alone_go_on.set()
    assert (await held).result.words == "held"
    assert notary.batches[-2:] == [["held"], ["held"]]


async def test_no_more_than_a_few_wait_alone_at_a_time(engine: AsyncEngine) -> None:
    notary = Notary()
    notary.alone_go_on.clear()
    notary.alone_wanted = MOST_ALONE
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(f"held {turn}")) for turn in range(3 * MOST_ALONE)))
    await notary.alone_came.wait()
    notary.alone_go_on.set()
    assert await outcomes(tasks) == [f"held {turn}" for turn in range(3 * MOST_ALONE)]
    assert notary.most_alone == MOST_ALONE
    assert await is_empty(batch)


async def test_what_stays_held_though_it_is_alone_may_be_sent_again(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, named(Note("a")), named(Note("never")))
    assert await outcomes(tasks) == ["a", Busy]
    assert await is_empty(batch)


async def test_a_client_that_goes_away_cancels_neither_its_deed_nor_its_duplicates(engine: AsyncEngine) -> None:
    notary, deed = Notary(), named(Note("hello"))
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        gone, duplicate, alone_gone = await handed_in(batch, deed, deed, named(Note("and this")))
        gone.cancel()
        alone_gone.cancel()
        await asyncio.wait([gone, alone_gone])
    assert await outcomes([duplicate]) == ["hello"]
    assert gone.cancelled()
    done = duplicate.result()
    assert await batch.perform(*deed) == Done(done.result, replayed=True)
    assert sorted(await noted(engine)) == ["and this", "first", "hello"]
    assert await is_empty(batch)


@pytest.mark.parametrize("alone", [False, True], ids=["in a batch", "alone"])
async def test_when_the_posting_ends_nobody_is_left_waiting(engine: AsyncEngine, alone: bool) -> None:
    notary, deeds = Notary(), [named(Note(words)) for words in ("a", "b", "held" if alone else "c")]
    batch = batch_on(engine, notary)
    notary.alone_go_on.clear()
    async with meanwhile(batch, notary) as first:
        tasks = await handed_in(batch, *deeds, deeds[0])
        if not alone:
            for task in batch._posting:
                task.cancel()
            assert await outcomes([first, *tasks]) == [Busy] * 5
    if alone:
        await notary.alone_came.wait()
        for task in batch._alone:
            task.cancel()
        assert await outcomes([first, *tasks]) == ["first", "a", "b", Busy, "a"]
    assert await is_empty(batch)
    notary.alone_go_on.set()
    again = await asyncio.gather(*(batch.perform(*each) for each in deeds))
    assert [each.replayed for each in again] == ([True, True, False] if alone else [False] * 3)
    assert len(await noted(engine)) == 4 if alone else 3


async def cut(migrator_engine: AsyncEngine) -> int:
    """End every other connection to this database, as a restart does; how many there were."""
    query = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database()"
    async with migrator_engine.begin() as connection:
        own = " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        return int((await connection.execute(text(query + own))).scalar_one())


async def sent_until_done(batch: MicroBatch[Note, Noted], deed: tuple[Any, Note]) -> Done[Any]:
    """As a client does: the same id again for as long as it is told to come again."""
    for _ in range(TRIES):
        try:
            return await batch.perform(*deed)
        except Busy:
            continue
    raise AssertionError("the same batch never worked again")


@pytest.fixture
async def owner(database: DatabaseHandle) -> AsyncIterator[AsyncEngine]:
    """Who may end connections, apart from those that are ended."""
    engine = database.migrator_engine(pool_size=1)
    yield engine
    await engine.dispose()


async def test_connections_that_were_lost_between_batches_are_replaced_by_themselves(
    engine: AsyncEngine, owner: AsyncEngine
) -> None:
    batch = batch_on(engine, Notary())
    for turn in range(3):
        deeds = [named(Note(f"{turn} {each}")) for each in range(10)]
        done = await asyncio.gather(*(sent_until_done(batch, deed) for deed in deeds))
        assert [each.result.words for each in done] == [note.words for _, note in deeds]
        assert await cut(owner) >= 1
    assert len(set(await sent_words(batch, engine))) == 31
    assert await is_empty(batch)


async def sent_words(batch: MicroBatch[Note, Noted], engine: AsyncEngine) -> list[str]:
    """All notes, each once, after one more."""
    await sent_until_done(batch, named(Note("last")))
    found = await noted(engine)
    assert max(Counter(found).values()) == 1
    return found


async def test_a_batch_whose_connection_is_lost_is_told_to_come_again_and_is_done_once(
    engine: AsyncEngine, owner: AsyncEngine
) -> None:
    notary = Notary()
    batch = batch_on(engine, notary)
    deeds = [named(Note(words)) for words in "abc"]
    async with meanwhile(batch, notary) as first:
        tasks = await handed_in(batch, *deeds)
        assert await cut(owner) >= 1
    assert await outcomes([first]) == [Busy]
    lost = await outcomes(tasks)
    assert set(lost) <= {Busy, *"abc"}
    again = await asyncio.gather(*(sent_until_done(batch, deed) for deed in deeds))
    assert [each.result.words for each in again] == [*"abc"]
    assert sorted(await sent_words(batch, engine)) == [*"abc", "last"]
    assert await is_empty(batch)
