"""Post journals: checked here for the message, by the database's trigger for the guarantee."""

from collections.abc import Sequence
from uuid import UUID

from services.kit.db import Tx
from services.ledger import tables
from services.ledger.journal import Journal, JournalKind, Unbalanced, WrittenJournal, check, reversal

MAX_JOURNALS = 20_000
"""Journals of one statement; a larger job comes in several transactions."""


async def post(tx: Tx, journals: Sequence[Journal]) -> list[WrittenJournal]:
    """Write journals effective at the deed's instant, in one statement; none if any is wrong."""
    if not journals:
        return []
    if len(journals) > MAX_JOURNALS:
        raise ValueError("too many journals for one statement")
    for journal in journals:
        check(journal)
    ids = tx.new_ids(len(journals))
    await tables.insert_journals(tx, list(zip(ids, journals, strict=True)))
    return [WrittenJournal(*each) for each in zip(ids, journals, strict=True)]


async def reverse(tx: Tx, deed_id: UUID, kind: JournalKind, by_deed_id: UUID) -> list[WrittenJournal]:
    """Compensate every journal of a deed; the unique `reverses_id` makes a second time impossible."""
    originals = [found for found in await tables.read_journals(tx, deed_id) if found.journal.reverses_id is None]
    if not originals:
        raise Unbalanced(kind=kind.value, difference_yen=0)
    return await post(tx, [reversal(original, kind, by_deed_id) for original in originals])
