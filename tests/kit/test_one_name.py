"""One id at once for other things, or under several sign-ins: each is told what is so for it, as they came."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.deeds import DeedIdReused, Done
from services.kit.errors import Busy, Forbidden
from tests.kit.notary import HANGS_S, Notary, Note, batch_on, handed_in, is_empty, meanwhile, named, noted, outcomes


async def test_what_refuses_the_first_says_nothing_of_what_else_was_asked_under_its_id(engine: AsyncEngine) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        words = ("forbidden", "hello", "forbidden", "world", "hello")
        tasks = await handed_in(batch, *(named(Note(each), key) for each in words))
    assert await outcomes(tasks) == [Forbidden, "hello", Forbidden, DeedIdReused, "hello"]
    assert notary.batches == [["first"], ["forbidden"], ["hello"]]
    assert tasks[4].result() == Done(tasks[1].result().result, replayed=True)
    assert sorted(await noted(engine)) == ["first", "hello"]
    assert await is_empty(batch)


async def test_what_another_process_did_under_the_id_is_answered_to_who_asked_for_it(engine: AsyncEngine) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(words), key) for words in ("world", "hello", "world")))
        elsewhere = await batch_on(engine, Notary(), seed=2).perform(*named(Note("hello"), key))
    assert await outcomes(tasks) == [DeedIdReused, "hello", DeedIdReused]
    assert tasks[1].result() == Done(elsewhere.result, replayed=True)
    assert sorted(await noted(engine)) == ["first", "hello"]
    assert await is_empty(batch)


async def test_under_another_sign_in_the_same_is_asked_of_the_database_again(engine: AsyncEngine) -> None:
    notary, (deed, note) = Notary(), named(Note("hello"))
    batch = batch_on(engine, notary)
    signed_in = [replace(deed, session_id=each) for each in (None, UUID(int=1), None, UUID(int=2), UUID(int=1))]
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *((each, note) for each in signed_in))
        waiting = batch._known[deed.account_id.bytes + deed.key.bytes]
        assert (len(waiting.others), len(waiting.behind or ()), waiting.followers) == (1, 2, 4)
    assert await outcomes(tasks) == ["hello"] * 5
    assert [task.result().replayed for task in tasks] == [False, True, True, True, True]
    assert notary.batches == [["first"], ["hello"]]
    assert await is_empty(batch)


async def test_all_that_is_asked_under_one_id_is_bounded(engine: AsyncEngine) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary, most_waiting=4)
    async with meanwhile(batch, notary):
        words = ("forbidden", "a", "a", "b", "b", "c", "b", "a", "forbidden")
        tasks = await handed_in(batch, *(named(Note(each), key) for each in words))
    assert await outcomes(tasks) == [Forbidden, "a", "a", DeedIdReused, DeedIdReused, *[Busy] * 4]
    assert await is_empty(batch)


async def test_the_bound_counts_those_that_still_wait(engine: AsyncEngine) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary, most_waiting=4)
    notary.alone_go_on.clear()
    words = ("forbidden", "forbidden", "held", "forbidden", "held")
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(each), key) for each in words))
    async with asyncio.timeout(HANGS_S):
        await notary.alone_came.wait()  # by now the first three were told, and one more waits for the second to be
    more = await handed_in(batch, *(named(Note(each), key) for each in ("a", "b", "a", "c")))
    notary.alone_go_on.set()
    assert await outcomes(tasks) == [Forbidden, Forbidden, "held", Forbidden, "held"]
    assert await outcomes(more) == [*[DeedIdReused] * 3, Busy]
    assert await is_empty(batch)


async def test_who_is_behind_is_left_waiting_by_no_end(engine: AsyncEngine) -> None:
    """Neither when the posting ends, nor when the first of the name has waited too long."""
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary) as first:
        tasks = await handed_in(batch, *(named(Note(each), key) for each in "abcb"))
        for task in batch._posting:
            task.cancel()
        assert await outcomes([first, *tasks]) == [Busy] * 5
    assert await is_empty(batch)
    async with meanwhile(batch, notary):
        batch._patience_s = -1.0
        late = await handed_in(batch, *(named(Note(each), key) for each in "ab"))
        batch._patience_s = 5.0
        late += await handed_in(batch, named(Note("c"), key))
    assert await outcomes(late) == [Busy, Busy, "c"]
    assert await is_empty(batch)
