"""Verify the hash chains of the ledger and of the audit log, entry by entry, against their anchors.

The auditor rebuilds every entry's text with statements of its own, hashes it here and not in the
database, and reads it all in one snapshot. It only reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kit.anchors import Anchor, Head
from services.kit.db import Tx
from services.proof.chain_walk import LATEST_SEAL, Fault, Finding, Link, Walk
from services.proof.prove import SNAPSHOT

PAGE: Final = 5_000

AUDIT: Final = """
SELECT s.position, s.entry_id, s.hash, e.recorded_at,
       jsonb_build_array(e.id, e.actor_id, e.action, e.subject_id,
                         (extract(epoch FROM e.happened_at) * 1000000)::bigint,
                         (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.detail)::text, e.id IS NOT NULL
  FROM (SELECT * FROM audit_seal WHERE position > $1 ORDER BY position LIMIT $2) s
  LEFT JOIN audit_entry e ON e.id = s.entry_id
 ORDER BY s.position
"""

LEDGER: Final = """
SELECT s.position, s.journal_id, s.hash, j.recorded_at,
       concat_ws('|', j.id, j.programme_id, j.kind, j.deed_id, coalesce(j.reverses_id::text, '-'),
                 (extract(epoch FROM j.effective_at) * 1000000)::bigint, l.lines), j.id IS NOT NULL
  FROM (SELECT * FROM ledger_seal WHERE position > $1 ORDER BY position LIMIT $2) s
  LEFT JOIN ledger_journal j ON j.id = s.journal_id
  LEFT JOIN LATERAL (
       SELECT string_agg(concat_ws(':', line, account, coalesce(owner_id::text, '-'), amount_yen), ',' ORDER BY line)
              AS lines
         FROM ledger_posting WHERE journal_id = s.journal_id) l ON true
 ORDER BY s.position
"""

LENGTH: Final = "SELECT coalesce(max(position), 0) FROM {seals}"

UNSEALED: Final = """
SELECT e.id, e.recorded_at, count(*) OVER ()
  FROM {entries} e
 WHERE e.recorded_at < clock_timestamp() - $1::interval
   AND NOT EXISTS (SELECT FROM {seals} s WHERE s.{key} = e.id)
 ORDER BY e.recorded_at, e.id LIMIT 1
"""

SEALED_BEYOND: Final = """
SELECT s.{key}, e.recorded_at FROM {seals} s JOIN {entries} e ON e.id = s.{key}
 WHERE s.position = $1 AND e.recorded_at < clock_timestamp() - $2::interval
"""

NOTED: Final = "SELECT chain, entries, hash, anchored_at, line, signature FROM chain_anchor ORDER BY anchored_at, line"


@dataclass(frozen=True)
class _Chain:
    links: str
    names: dict[str, str]


CHAINS: Final = {
    "audit": _Chain(AUDIT, {"entries": "audit_entry", "seals": "audit_seal", "key": "entry_id"}),
    "ledger": _Chain(LEDGER, {"entries": "ledger_journal", "seals": "ledger_seal", "key": "journal_id"}),
}


@dataclass(frozen=True)
class Verdict:
    """What one chain holds, how often it was anchored, and what is wrong: `faults` counts beyond what is listed."""

    chain: str
    entries: int
    anchors: int
    faults: int
    findings: tuple[Finding, ...]


Told = Callable[[int], None]


async def open_snapshot(tx: Tx) -> None:
    """Everything that follows in this transaction sees one instant, and can alter nothing."""
    await tx.connection.exec_driver_sql(SNAPSHOT)


async def length(tx: Tx, chain: str) -> int:
    """About how many entries a walk will take."""
    [(longest,)] = await _rows(tx, LENGTH.format(**CHAINS[chain].names))
    return int(longest)


async def verify(tx: Tx, chain: str, anchors: Sequence[Anchor], told: Told = lambda _: None) -> Verdict:
    """Walk one chain; `told` hears how many more entries were read."""
    walk, ours = Walk(chain, anchors), [each for each in anchors if each.head.chain == chain]
    place = 0
    while rows := await _rows(tx, CHAINS[chain].links, place, PAGE):
        for position, entry_id, seal, recorded_at, content, known in rows:
            walk.take(Link(position, _id(entry_id), bytes(seal), recorded_at, content if known else None))
        place = rows[-1][0]
        told(len(rows))
    more = await _tail(tx, chain, max((each.head.entries for each in ours), default=0), walk.position)
    found = (*walk.findings(), *more)
    return Verdict(chain, walk.entries, len(ours), max(walk.total + len(more), len(found)), found)


async def _tail(tx: Tx, chain: str, anchored: int, last: int) -> list[Finding]:
    """What should have been sealed or anchored by now and is not."""
    found, names = [], CHAINS[chain].names
    for entry_id, recorded_at, count in await _rows(tx, UNSEALED.format(**names), LATEST_SEAL):
        said = {"recorded_at": recorded_at.isoformat(), "count": count}
        found.append(Finding(Fault.UNSEALED, chain, None, _id(entry_id), said))
    if anchored < last:
        for entry_id, recorded_at in await _rows(tx, SEALED_BEYOND.format(**names), anchored + 1, LATEST_SEAL):
            said = {"anchored": anchored, "entries": last, "recorded_at": recorded_at.isoformat()}
            found.append(Finding(Fault.ANCHORS_BEHIND, chain, anchored + 1, _id(entry_id), said))
    return found


async def noted_anchors(tx: Tx) -> list[Anchor]:
    """What the database remembers to have anchored."""
    return [
        Anchor(Head(chain, entries, bytes(seal)), at, line, bytes(signature))
        for chain, entries, seal, at, line, signature in await _rows(tx, NOTED)
    ]


def missing_anchors(noted: Sequence[Anchor], given: Sequence[Anchor]) -> list[Finding]:
    """Anchors that the database remembers and that stand in no file that was given: lines were taken out."""
    known = {each.signature for each in given}
    return [
        Finding(
            Fault.ANCHOR_MISSING,
            each.head.chain,
            each.head.entries,
            None,
            {"line": each.line, "anchored_at": each.at.isoformat()},
        )
        for each in noted
        if each.signature not in known
    ]


async def _rows(tx: Tx, question: str, *arguments: object) -> list[tuple[Any, ...]]:
    answer = await tx.connection.exec_driver_sql(question, arguments or None)
    return [tuple(row) for row in answer]


def _id(value: Any) -> UUID:
    return UUID(str(value))


def known_chains() -> Sequence[str]:
    """The chains that there are, in the order in which a person asks about them."""
    return tuple(CHAINS)


def seen_at(anchors: Sequence[Anchor]) -> datetime | None:
    """When the last anchor was made."""
    return max((each.at for each in anchors), default=None)
