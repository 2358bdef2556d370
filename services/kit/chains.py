"""Hash chains over what is written once: where their seals stand, and every statement on them.

A chain is a table of entries, a table of seals over them and the text that a seal is over. The ledger
and the audit log each declare one; how it is sealed is the same for both (`services.kit.seal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from services.kit.anchors import Anchor, Head
from services.kit.db import Base, Tx
from services.kit.horizon import Look
from services.kit.sets import insert_rows
from services.kit.tables import AnchorRow


@dataclass(frozen=True)
class Chain:
    """What is sealed: its name, its entries (`id`, `recorded_at`), its seals (`position`, `key`, `hash`).

    `content` is SQL: the canonical text of an entry `e`, with everything that it says.
    """

    name: str
    entries: type[Base]
    seals: type[Base]
    key: str
    content: str


async def lock(tx: Tx, chain: Chain) -> None:
    """Let one sealer lay the chain at a time."""
    await tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(chain.seals.__tablename__))))


async def head(tx: Tx, chain: Chain) -> Head:
    """The last seal; no entries and no bytes before the first."""
    seals: Any = chain.seals
    query = select(seals.position, seals.hash).order_by(seals.position.desc()).limit(1)
    row = (await tx.connection.execute(query)).one_or_none()
    return Head(chain.name, row[0], bytes(row[1])) if row else Head(chain.name, 0, b"")


async def hash_at(tx: Tx, chain: Chain, position: int) -> bytes | None:
    """The seal at a position; None where there is none."""
    seals: Any = chain.seals
    found = (await tx.connection.execute(select(seals.hash).where(seals.position == position))).scalar_one_or_none()
    return None if found is None else bytes(found)


async def unsealed(
    tx: Tx, chain: Chain, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[UUID, datetime, str]]:
    """Entries that carry no seal yet, oldest record first: id, record and canonical text of each.

    `after` leaves out what was recorded up to that place; None leaves out nothing.
    """
    values: dict[str, object] = {"limit": limit}
    if after is not None:
        values |= {"recorded_at": after[0], "id": after[1]}
    query = UNSEALED.format(
        content=chain.content,
        entries=chain.entries.__tablename__,
        seals=chain.seals.__tablename__,
        key=chain.key,
        behind=BEHIND if after else "",
    )
    return [(row[0], row[1], row[2]) for row in await tx.connection.execute(text(query), values)]


async def insert_seals(tx: Tx, chain: Chain, seals: Sequence[tuple[int, UUID, bytes]]) -> None:
    rows = [{"position": seal[0], chain.key: seal[1], "hash": seal[2]} for seal in seals]
    await tx.connection.execute(insert_rows(chain.seals, rows))


UNSEALED = """
SELECT e.id, e.recorded_at, {content}
  FROM {entries} e
 WHERE NOT EXISTS (SELECT FROM {seals} s WHERE s.{key} = e.id){behind}
 ORDER BY e.recorded_at, e.id
 LIMIT :limit
"""
"""One line of text an entry; the auditor rebuilds it on its own."""

BEHIND = " AND e.recorded_at >= :recorded_at AND (e.recorded_at, e.id) > (:recorded_at, :id)"
"""The first half says nothing new, but it is the half that an index over blocks understands."""


async def look(tx: Tx) -> Look:
    """The database's clock, this transaction's number and the oldest that has not ended.

    Our number is taken after the snapshot, so whoever has a greater one began after the look.
    """
    row = (await tx.connection.execute(text(LOOK))).one()
    return Look(row[0], row[1], row[2])


LOOK = """
SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


async def insert_anchors(tx: Tx, anchors: Sequence[Anchor]) -> None:
    """Remember what was anchored, so that a line taken out of the file is missed."""
    rows = [
        {
            "signature": each.signature,
            "line": each.line,
            "chain": each.head.chain,
            "entries": each.head.entries,
            "hash": each.head.hash,
            "anchored_at": each.at,
        }
        for each in anchors
    ]
    await tx.connection.execute(insert(AnchorRow), rows)
