"""Deeds posted together: each once, each its own outcome, in an order that keys hold; nothing waits unbounded."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from services.kit import tables
from services.kit.db import Tx
from services.kit.deeds import DeedIdReused, Done
from services.kit.errors import Busy, Forbidden, Kind
from tests.kit.notary import HANGS_S, Notary, Note, batch_on, handed_in, is_empty, meanwhile, named, noted, outcomes


async def test_what_comes_meanwhile_is_posted_together_and_one_alone_at_once(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary) as first:
        tasks = await handed_in(batch, *(named(Note(words)) for words in "abc"))
    assert await outcomes([first, *tasks]) == ["first", *"abc"]
    assert notary.batches == [["first"], [*"abc"]]
    assert sorted(await noted(engine)) == [*"abc", "first"]


async def test_batches_keep_a_pace_and_who_comes_alone_waits_for_nothing(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary, pace_s=1.0)
    await batch.perform(*named(Note("first")))
    tasks = await handed_in(batch, named(Note("a")))
    await asyncio.sleep(0.2)
    assert notary.batches == [["first"]], "the next one waits for its time"
    tasks += await handed_in(batch, named(Note("b")), named(Note("c")))
    assert await outcomes(tasks) == [*"abc"]
    assert notary.batches == [["first"], [*"abc"]]
    await asyncio.sleep(1.1)
    later = await handed_in(batch, named(Note("later")))
    await asyncio.sleep(0.2)
    assert notary.batches[2:] == [["later"]], "its time is long over"
    assert await outcomes(later) == ["later"]


async def test_half_a_batch_waits_for_no_pace(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary, pace_s=3_600.0, most_together=4)
    await batch.perform(*named(Note("first")))
    one = await handed_in(batch, named(Note("a")))
    assert await outcomes([*one, *await handed_in(batch, named(Note("b")))]) == [*"ab"]
    assert notary.batches == [["first"], [*"ab"]]


async def test_duplicates_in_one_process_share_one_run_and_one_answer(engine: AsyncEngine) -> None:
    notary = Notary()
    batch, deed = batch_on(engine, notary), named(Note("hello"))
    done = await asyncio.gather(*(batch.perform(*deed) for _ in range(20)))
    assert [each.replayed for each in done].count(False) == 1
    assert len({each.result for each in done}) == 1
    assert (notary.batches, await noted(engine)) == ([["hello"]], ["hello"])


@pytest.mark.parametrize("process", ["the same process", "another process"])
async def test_the_same_id_later_answers_the_same_and_runs_nothing(engine: AsyncEngine, process: str) -> None:
    notary, deed = Notary(), named(Note("hello"))
    batch = batch_on(engine, notary)
    first = await batch.perform(*deed)
    other = batch if process == "the same process" else batch_on(engine, notary, seed=2)
    assert await other.perform(*deed) == Done(first.result, replayed=True)
    assert (first.replayed, notary.batches, await noted(engine)) == (False, [["hello"]], ["hello"])


async def test_the_same_id_for_other_content_is_refused_when_it_was_done_and_afterwards(engine: AsyncEngine) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        one, other = await handed_in(batch, named(Note("hello"), key), named(Note("world"), key))
    for refused in (other, asyncio.create_task(batch.perform(*named(Note("world"), key)))):
        with pytest.raises(DeedIdReused) as caught:
            await refused
        assert (caught.value.kind, caught.value.params) == (Kind.INVALID, {"key": str(key)})
    assert (await one).result.words == "hello"
    assert sorted(await noted(engine)) == ["first", "hello"]


async def test_an_id_belongs_to_the_account_that_made_it(engine: AsyncEngine) -> None:
    notary = Notary()
    batch, (mine, note) = batch_on(engine, notary), named(Note("hello"))
    theirs = type(mine)(UUID(int=0xB2), mine.key, mine.fingerprint)
    done = await asyncio.gather(batch.perform(mine, note), batch.perform(theirs, note))
    assert [each.replayed for each in done] == [False, False]
    assert await noted(engine) == ["hello"] * 2


async def test_a_refusal_is_not_stored_and_burns_nothing_nor_does_it_touch_its_neighbours(engine: AsyncEngine) -> None:
    notary, deed = Notary(), named(Note("forbidden at first"))
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, named(Note("a")), deed, deed, named(Note("b")))
    assert await outcomes(tasks) == ["a", Forbidden, Forbidden, "b"]
    notary.refuses = False
    assert not (await batch.perform(*deed)).replayed
    assert notary.batches[1:] == [["a", "forbidden at first", "b"], ["forbidden at first"]]
    assert sorted(await noted(engine)) == ["a", "b", "first", "forbidden at first"]


async def test_deeds_that_share_a_key_are_never_together_and_keep_their_order(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary)
    topics = {"a": "x", "b": "x", "c": "y", "d": "xy", "e": "y", "f": ""}
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(words, tuple(keys))) for words, keys in topics.items()))
    assert await outcomes(tasks) == [*topics]
    # e could go with b, but shares a key with d, which came before it and has to wait for b.
    assert notary.batches[1:] == [["a", "c", "f"], ["b"], ["d"], ["e"]]


async def test_two_batches_may_be_under_way_but_never_two_deeds_that_share_a_key(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary, at_once=2, most_together=4)
    deeds = [named(Note(str(turn), (f"topic {turn * 7 % 5}",))) for turn in range(60)]
    done = await asyncio.gather(*(batch.perform(*each) for each in deeds))
    assert [each.result.words for each in done] == [str(turn) for turn in range(60)]
    assert (notary.most_under_way, notary.clashes) == (2, [])
    for topic in range(5):
        mine = [note.words for _, note in deeds if note.topics == (f"topic {topic}",)]
        assert [words for each in notary.batches for words in each if words in mine] == mine
    assert await is_empty(batch)


async def test_a_short_cut_does_what_is_plain_of_several_and_the_rest_is_done_as_ever(engine: AsyncEngine) -> None:
    notary, again = Notary(), named(Note("plain b"))
    batch = batch_on(engine, notary, plainly=True)
    async with meanwhile(batch, notary) as first:
        tasks = await handed_in(batch, named(Note("a")), again, named(Note("forbidden")), named(Note("plain c")))
    assert await outcomes([first, *tasks]) == ["first", "a", "plain b", Forbidden, "plain c"]
    assert notary.batches == [["first"], ["a", "forbidden"]]
    assert await batch.perform(*again) == Done(tasks[1].result().result, replayed=True)
    assert sorted(await noted(engine)) == ["a", "first", "plain b", "plain c"]


async def test_no_more_than_the_most_are_together(engine: AsyncEngine) -> None:
    notary = Notary()
    batch = batch_on(engine, notary, most_together=3)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *(named(Note(words)) for words in "abcdefg"))
    await outcomes(tasks)
    assert notary.batches[1:] == [[*"abc"], [*"def"], ["g"]]


async def test_beyond_the_bound_of_the_queue_the_next_is_told_at_once_when_to_come_again(engine: AsyncEngine) -> None:
    notary, late = Notary(), named(Note("late"))
    batch = batch_on(engine, notary, most_waiting=3)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, named(Note("a")), named(Note("b")))
        with pytest.raises(Busy) as caught:
            await batch.perform(*late)
        assert (caught.value.kind, caught.value.params) == (Kind.UNAVAILABLE, {"retry_after_seconds": 1})
    assert await outcomes(tasks) == ["a", "b"]
    assert (await batch.perform(*late)).result.words == "late"


async def test_duplicates_are_bounded_too(engine: AsyncEngine) -> None:
    notary, deed = Notary(), named(Note("a"))
    batch = batch_on(engine, notary, most_waiting=3)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, *[deed] * 6)
    assert await outcomes(tasks) == ["a"] * 4 + [Busy] * 2


async def test_one_that_waited_too_long_is_refused_without_being_begun(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    notary, late = Notary(), named(Note("late"))
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        with monkeypatch.context() as patched:
            patched.setattr(batch, "_patience_s", -1.0)
            [waiting] = await handed_in(batch, late)
    with pytest.raises(Busy) as caught:
        await waiting
    assert caught.value.params == {"retry_after_seconds": 1}
    assert notary.batches == [["first"]]
    assert not (await batch.perform(*late)).replayed


@pytest.mark.parametrize("patience_s", [2.0, 5.0])
async def test_the_deadline_is_told_to_the_database_where_it_is_nearer_than_the_connections_own(
    database: DatabaseHandle, patience_s: float
) -> None:
    notary, engine = Notary(), database.app_engine(pool_size=1)
    await batch_on(engine, notary, patience_s=patience_s).perform(*named(Note("a")))
    await batch_on(engine, notary, seed=2).perform(*named(Note("b")))
    await engine.dispose()
    near, connections_own = notary.told
    assert connections_own == "3s"
    if patience_s == 5.0:
        assert near == "3s"
    else:
        assert near.endswith("ms")
        assert 0 < int(near.removesuffix("ms")) < 2_000


async def test_one_that_the_database_cannot_finish_in_its_time_is_refused_and_may_be_sent_again(
    engine: AsyncEngine,
) -> None:
    notary, key = Notary(), uuid4()
    batch = batch_on(engine, notary, patience_s=0.3)
    with pytest.raises(Busy) as caught:
        await batch.perform(*named(Note("slow"), key))
    assert caught.value.params == {"retry_after_seconds": 1}
    patient = batch_on(engine, notary)
    assert not (await patient.perform(*named(Note("quick"), key))).replayed
    assert await noted(engine) == ["quick"]


def blind(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """So many looks miss what another process finishes between our look and our write; counts all looks."""
    real, looks = tables.find_deeds, [0]

    async def find_deeds(tx: Tx, names: Sequence[tuple[UUID, UUID]]) -> dict[Any, Any]:
        looks[0] += 1
        return {} if looks[0] <= times else await real(tx, names)

    monkeypatch.setattr(tables, "find_deeds", find_deeds)
    return looks


@pytest.mark.parametrize("times", [1, 2])
async def test_the_key_makes_a_second_one_impossible_when_looks_miss_the_first(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    deed = named(Note("hello"))
    first = await batch_on(engine, Notary()).perform(*deed)
    looks = blind(monkeypatch, times)
    assert await batch_on(engine, Notary(), seed=2).perform(*deed) == Done(first.result, replayed=True)
    assert (looks, await noted(engine)) == ([times + 1], ["hello"])


async def test_a_neighbour_of_one_that_was_finished_elsewhere_is_done_all_the_same(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed, notary = named(Note("hello")), Notary()
    first = await batch_on(engine, Notary()).perform(*deed)
    batch = batch_on(engine, notary, seed=2)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, named(Note("a")), deed, named(Note("b")))
        blind(monkeypatch, 1)
    assert await outcomes(tasks) == ["a", "hello", "b"]
    assert await tasks[1] == Done(first.result, replayed=True)
    assert sorted(await noted(engine)) == ["a", "b", "first", "hello"]


@pytest.mark.parametrize("words", ["once", "once-raised"])
async def test_a_duplicate_is_not_refused_for_what_its_own_first_run_did(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Whether the use case answers its refusal or, its transaction being spoilt, raises it."""
    deed = named(Note(words))
    first = await batch_on(engine, Notary()).perform(*deed)
    looks = blind(monkeypatch, 1)
    assert await batch_on(engine, Notary(), seed=2).perform(*deed) == Done(first.result, replayed=True)
    assert looks == [2]


async def test_a_refusal_that_is_raised_is_told_to_who_asked_for_it_alone(engine: AsyncEngine) -> None:
    notary, deed = Notary(), named(Note("once-raised"))
    batch = batch_on(engine, notary)
    async with meanwhile(batch, notary):
        tasks = await handed_in(batch, named(Note("a")), deed, named(Note("b")))
    assert await outcomes(tasks) == ["a", Forbidden, "b"]
    with pytest.raises(Forbidden):
        await batch.perform(*deed)
    assert sorted(await noted(engine)) == ["a", "b", "first"]


async def test_nothing_is_remembered_of_a_thousand_deeds_that_are_over(engine: AsyncEngine) -> None:
    batch = batch_on(engine, Notary(), patience_s=HANGS_S)  # however slow the machine is
    kinds = ["forbidden", "broken", "held", *["plain"] * 13]
    deeds = [named(Note(f"{kinds[turn % 16]} {turn}")) for turn in range(1_000)]
    await asyncio.gather(*(batch.perform(*each) for each in deeds + deeds[::7]), return_exceptions=True)
    assert await is_empty(batch)
    assert len(await noted(engine)) == 1_000 - 2 * 63
    gc.collect()  # an exception that nobody was told would be reported here, as an error
