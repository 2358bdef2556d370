"""A small kind of deed to try `MicroBatch` with: notes in the audit log, some of which go wrong by their words."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit import audit, tables
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.deeds import Deed, Done, fingerprint
from services.kit.errors import Forbidden, Refusal
from services.kit.ids import SeededEntropy
from services.kit.micro_batch import MicroBatch
from services.kit.posting import Kind
from services.kit.waiting import DonePlainly, Elsewhere, Waiting

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)
ME = UUID(int=0xB1)
HANGS_S = 30
"""Who waits longer was forgotten: the test fails instead of waiting for ever."""
BROKEN = "INSERT INTO till_code VALUES (gen_random_uuid(), 'T', gen_random_uuid(), 0, gen_random_uuid(), now(), now())"
"""What `ck_till_code_amount` stops."""


@dataclass(frozen=True)
class Note:
    """Write this once; two notes that share a topic are never written together."""

    words: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noted:
    id: UUID
    words: str
    at: datetime


class Poison(Exception):
    """What no batch expects."""


class Notary:
    """The use case. It remembers which notes came together, and can be held before it writes anything."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.refuses = True
        self.told: list[str] = []
        """What the database said of its time limit, once a batch."""
        self.under_way = 0
        self.most_under_way = 0
        self._topics: list[str] = []
        self.clashes: list[str] = []
        """Topics of which two notes were under way at once."""
        self.inside = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.alone = 0
        self.most_alone = 0
        self.alone_wanted = 1
        self.alone_came = asyncio.Event()
        """Set when so many are held alone."""
        self.alone_go_on = asyncio.Event()
        self.alone_go_on.set()

    async def write(self, tx: Tx, notes: Sequence[Note], alone: bool) -> list[Noted | Refusal | Elsewhere]:
        self.batches.append([note.words for note in notes])
        topics = [topic for note in notes for topic in note.topics]
        self.clashes += set(topics) & set(self._topics)
        self._topics += topics
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            self.inside.set()
            await self.go_on.wait()
            self.told.append(await tx.driver.fetchval("SHOW statement_timeout"))
            return [await self._one(tx, note, alone=alone) for note in notes]
        finally:
            self.under_way -= 1
            for topic in topics:
                self._topics.remove(topic)

    async def write_plainly(self, tx: Tx, batch: Sequence[Waiting[Note]]) -> DonePlainly:
        """The short cut: notes that begin with "plain", with their deeds, as one whole."""
        plain = {place: waiting for place, waiting in enumerate(batch) if waiting.command.words.startswith("plain")}
        async with tx.driver.transaction():  # the notary needs more than one statement; a real short cut has one
            done = {place: await self._write(tx, waiting.command) for place, waiting in plain.items()}
            texts = {place: msgspec.json.encode(noted).decode() for place, noted in done.items()}
            rows = [(each.account_id, each.key, each.fingerprint, texts[place]) for place, each in plain.items()]
            if rows:
                await tables.finish_deeds(tx, rows)
        return DonePlainly(texts, {})

    async def _one(self, tx: Tx, note: Note, *, alone: bool) -> Noted | Refusal | Elsewhere:
        match note.words.split()[0]:
            case "forbidden" if self.refuses:
                return Forbidden()
            case "once" if await tx.driver.fetchval("SELECT count(*) FROM audit_entry"):
                return Forbidden()
            case "once-raised" if await tx.driver.fetchval("SELECT count(*) FROM audit_entry"):
                raise Forbidden
            case "poison":
                raise Poison
            case "broken":
                await tx.driver.execute(BROKEN)
            case "broken-otherwise":
                await tx.connection.execute(text(BROKEN))
            case "slow":
                await tx.driver.execute("SELECT pg_sleep(60)")
            case "never":
                return Elsewhere.HELD
            case "held":
                if not alone:
                    return Elsewhere.HELD
                await self._wait_alone()
        return await self._write(tx, note)

    async def _write(self, tx: Tx, note: Note) -> Noted:
        noted_id = tx.new_id()
        await audit.record(tx, ME, "noted", noted_id, words=note.words)
        return Noted(noted_id, note.words, tx.now)

    async def _wait_alone(self) -> None:
        self.alone += 1
        self.most_alone = max(self.most_alone, self.alone)
        if self.alone >= self.alone_wanted:
            self.alone_came.set()
        await self.alone_go_on.wait()
        self.alone -= 1


def named(note: Note, key: UUID | None = None) -> tuple[Deed, Note]:
    return Deed(ME, key or uuid4(), fingerprint("note", note)), note


def batch_on(
    engine: AsyncEngine, notary: Notary, *, seed: int = 1, at_once: int = 1, plainly: bool = False, **limits: Any
) -> MicroBatch[Note, Noted]:
    """A process that posts notes, one batch at a time unless told otherwise; another seed is another process."""
    kind = Kind[Note, Noted](
        notary.write,
        lambda note: note.topics,
        lambda _, noted: noted,
        lambda _: Noted,
        notary.write_plainly if plainly else None,
    )
    database = Database(engine, SetClock(NOON), SeededEntropy(seed))
    return MicroBatch(database, kind, at_once=at_once, **limits)


async def is_empty(batch: MicroBatch[Note, Noted]) -> bool:
    """Whether it remembers nothing of anybody, once its tasks have ended."""
    await asyncio.sleep(0)
    return not (batch._known or batch._queue or batch._busy or batch._alone or batch._posting)


@asynccontextmanager
async def meanwhile(batch: MicroBatch[Note, Noted], notary: Notary) -> AsyncIterator[asyncio.Task[Done[Any]]]:
    """While a first batch is held under way, what is handed in waits; it is posted when the block ends."""
    notary.inside.clear()
    notary.go_on.clear()
    first = asyncio.create_task(batch.perform(*named(Note("first"))))
    await notary.inside.wait()
    try:
        yield first
    finally:
        notary.go_on.set()


async def handed_in(batch: MicroBatch[Note, Noted], *deeds: tuple[Deed, Note]) -> list[asyncio.Task[Done[Any]]]:
    """Tasks whose deeds wait in the queue, in this order."""
    tasks = [asyncio.create_task(batch.perform(*each)) for each in deeds]
    await asyncio.sleep(0)
    return tasks


async def outcomes(tasks: Sequence[asyncio.Task[Done[Any]]]) -> list[Any]:
    """What each came to: the words that were noted, or the type of what was raised."""
    async with asyncio.timeout(HANGS_S):
        found = await asyncio.gather(*tasks, return_exceptions=True)
    return [each.result.words if isinstance(each, Done) else type(each) for each in found]


async def noted(engine: AsyncEngine) -> list[str]:
    """The words of all notes, in the order of writing."""
    query = "SELECT detail ->> 'words' FROM audit_entry WHERE action = 'noted' ORDER BY recorded_at, id"
    async with engine.connect() as connection:
        return list((await connection.execute(text(query))).scalars())
