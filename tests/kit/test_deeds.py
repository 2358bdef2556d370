"""The phone names the deed: the same id and content answer the same, once; a refusal burns nothing."""

import asyncio
import gc
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit import audit, tables
from services.kit.clock import SetClock
from services.kit.db import Database, Tx, broken_constraint
from services.kit.deeds import Deed, DeedIdReused, DeedInProgress, Deeds, Done, fingerprint
from services.kit.errors import Forbidden, Kind
from services.kit.ids import SeededEntropy

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)
ME, SOMEBODY = UUID(int=0xB1), UUID(int=0xB2)


@dataclass(frozen=True)
class Note:
    """A command: write this once."""

    words: str


@dataclass(frozen=True)
class Line:
    id: UUID
    yen: int


@dataclass(frozen=True)
class Noted:
    """A result with every sort of value that results are made of."""

    id: UUID
    words: str
    at: datetime
    day: date
    lines: tuple[Line, ...]
    reason: str | None


async def note(tx: Tx, command: Note) -> Noted:
    noted_id = tx.new_id()
    await audit.record(tx, ME, "noted", noted_id, words=command.words)
    return Noted(noted_id, command.words, tx.now, tx.now.date(), (Line(tx.new_id(), 7),), None)


async def once_only(tx: Tx, command: Note) -> Noted:
    """A deed whose own rule refuses a second time, as a code that pays once does."""
    found = await tx.connection.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'noted'"))
    if found.scalar_one():
        raise Forbidden()
    return await note(tx, command)


def named(command: Note, key: UUID, account_id: UUID = ME) -> Deed:
    return Deed(account_id, key, fingerprint("note", command))


def deeds_on(engine: AsyncEngine, seed: int = 1) -> Deeds:
    return Deeds(Database(engine, SetClock(NOON), SeededEntropy(seed)))


async def noted(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'noted'"))
        return int(found.scalar_one())


async def test_the_same_id_and_content_give_the_same_answer_once(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()
    first = await deeds.perform(named(command, key), note, command, Noted)
    second = await deeds.perform(named(command, key), note, command, Noted)
    assert (first.replayed, second.replayed) == (False, True)
    assert second.result == first.result
    assert second.result.at.tzinfo is not None
    assert await noted(engine) == 1


async def test_another_process_gives_the_same_answer(engine: AsyncEngine) -> None:
    command, key = Note("hello"), uuid4()
    first = await deeds_on(engine).perform(named(command, key), note, command, Noted)
    second = await deeds_on(engine, seed=2).perform(named(command, key), note, command, Noted)
    assert second == Done(first.result, replayed=True)


async def test_the_same_id_for_other_content_is_refused_and_changes_nothing(engine: AsyncEngine) -> None:
    deeds, key = deeds_on(engine), uuid4()
    await deeds.perform(named(Note("hello"), key), note, Note("hello"), Noted)
    with pytest.raises(DeedIdReused) as caught:
        await deeds.perform(named(Note("world"), key), note, Note("world"), Noted)
    assert caught.value.kind is Kind.INVALID
    assert await noted(engine) == 1


async def test_the_same_id_for_other_content_is_refused_while_the_first_still_runs(engine: AsyncEngine) -> None:
    deeds, key = deeds_on(engine), uuid4()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx, command: Note) -> Noted:
        inside.set()
        await go_on.wait()
        return await note(tx, command)

    first = asyncio.create_task(deeds.perform(named(Note("hello"), key), slow, Note("hello"), Noted))
    await inside.wait()
    with pytest.raises(DeedIdReused):
        await deeds.perform(named(Note("world"), key), note, Note("world"), Noted)
    go_on.set()
    assert not (await first).replayed
    assert await noted(engine) == 1


async def test_an_id_belongs_to_the_account_that_made_it(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()
    mine = await deeds.perform(named(command, key), note, command, Noted)
    theirs = await deeds.perform(named(command, key, SOMEBODY), note, command, Noted)
    assert not theirs.replayed
    assert theirs.result.id != mine.result.id
    assert await noted(engine) == 2


async def test_a_refusal_is_not_stored_and_burns_neither_the_id_nor_anything_else(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()

    async def refused(tx: Tx, given: Note) -> Noted:
        await note(tx, given)
        raise Forbidden()

    for _ in range(2):
        with pytest.raises(Forbidden):
            await deeds.perform(named(command, key), refused, command, Noted)
    assert await noted(engine) == 0
    done = await deeds.perform(named(command, key), note, command, Noted)
    assert not done.replayed
    assert await noted(engine) == 1


async def test_duplicates_in_one_process_share_one_run_and_one_answer(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()
    done = await asyncio.gather(*(deeds.perform(named(command, key), note, command, Noted) for _ in range(20)))
    assert [each.replayed for each in done].count(False) == 1
    assert len({each.result.id for each in done}) == 1
    assert await noted(engine) == 1


async def test_duplicates_of_a_refused_deed_are_refused_not_reported_as_done(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()

    async def refused(tx: Tx, given: Note) -> Noted:
        await note(tx, given)
        raise Forbidden()

    calls = (deeds.perform(named(command, key), refused, command, Noted) for _ in range(5))
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in found] == [Forbidden] * 5
    assert await noted(engine) == 0


async def test_a_duplicate_elsewhere_is_told_at_once_that_the_first_still_runs(engine: AsyncEngine) -> None:
    command, key = Note("hello"), uuid4()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx, given: Note) -> Noted:
        inside.set()
        await go_on.wait()
        return await note(tx, given)

    first = asyncio.create_task(deeds_on(engine).perform(named(command, key), slow, command, Noted))
    await inside.wait()
    other = deeds_on(engine, seed=2)
    with pytest.raises(DeedInProgress) as caught:
        await other.perform(named(command, key), note, command, Noted)
    assert caught.value.kind is Kind.CONFLICT
    assert caught.value.params == {"retry_after_seconds": 1}
    go_on.set()
    done = await first
    assert await other.perform(named(command, key), note, command, Noted) == Done(done.result, replayed=True)
    assert await noted(engine) == 1


async def test_who_waits_for_a_run_that_is_broken_off_may_send_again(engine: AsyncEngine) -> None:
    deeds, command, key = deeds_on(engine), Note("hello"), uuid4()
    inside = asyncio.Event()

    async def stuck(tx: Tx, given: Note) -> Noted:
        await note(tx, given)
        inside.set()
        await asyncio.Event().wait()
        raise AssertionError

    first = asyncio.create_task(deeds.perform(named(command, key), stuck, command, Noted))
    await inside.wait()
    second = asyncio.create_task(deeds.perform(named(command, key), stuck, command, Noted))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(DeedInProgress):
        await second
    assert not (await deeds.perform(named(command, key), note, command, Noted)).replayed
    assert await noted(engine) == 1


def blind_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look for a finished deed misses it once: another process commits between our look and our write."""
    real = tables.claim_deed
    looks: list[int] = []

    async def look(tx: Tx, account_id: UUID, key: UUID) -> tuple[bool, bytes | None, Any]:
        looks.append(1)
        return (True, None, None) if len(looks) == 1 else await real(tx, account_id, key)

    monkeypatch.setattr(tables, "claim_deed", look)


async def test_the_key_makes_a_second_one_impossible_when_the_look_misses_the_first(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, key = Note("hello"), uuid4()
    first = await deeds_on(engine).perform(named(command, key), note, command, Noted)
    blind_once(monkeypatch)
    second = await deeds_on(engine, seed=2).perform(named(command, key), note, command, Noted)
    assert second == Done(first.result, replayed=True)
    assert await noted(engine) == 1


async def test_a_duplicate_is_not_refused_for_what_its_own_first_run_did(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, key = Note("hello"), uuid4()
    first = await deeds_on(engine).perform(named(command, key), once_only, command, Noted)
    blind_once(monkeypatch)
    second = await deeds_on(engine, seed=2).perform(named(command, key), once_only, command, Noted)
    assert second == Done(first.result, replayed=True)


async def test_another_broken_constraint_is_not_taken_for_a_duplicate(engine: AsyncEngine) -> None:
    async def wrong(tx: Tx, _: Note) -> Noted:
        values = "(gen_random_uuid(), 'T', gen_random_uuid(), 0, gen_random_uuid(), now(), now())"
        await tx.connection.execute(text(f"INSERT INTO till_code VALUES {values}"))
        raise AssertionError

    with pytest.raises(IntegrityError) as caught:
        await deeds_on(engine).perform(named(Note("x"), uuid4()), wrong, Note("x"), Noted)
    assert broken_constraint(caught.value) == "ck_till_code_amount"


async def test_nothing_is_remembered_of_deeds_that_are_over(engine: AsyncEngine) -> None:
    deeds, command = deeds_on(engine), Note("hello")
    for _ in range(3):
        await deeds.perform(named(command, uuid4()), note, command, Noted)
    assert deeds._running == {}
    gc.collect()  # a forgotten exception of a shared run would be reported here, as an error


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_fingerprint_tells_contents_and_operations_apart(one: str, two: str) -> None:
    assert (fingerprint("note", Note(one)) == fingerprint("note", Note(two))) == (one == two)
    assert fingerprint("note", Note(one)) != fingerprint("notes", Note(one))
    assert len(fingerprint("note", Note(one))) == 32
