"""Read programmes: what is promised, and what is left of it."""

from collections.abc import Collection
from uuid import UUID

from services.campaigns import tables
from services.campaigns.programme import Programme, ProgrammeUnknown, Proposal, Stock
from services.kit.db import Tx

MAX_PROGRAMMES = 200


async def published(tx: Tx, code: str) -> Programme:
    """The programme under its published terms; ProgrammeUnknown if there is none such."""
    found = await tables.find_published(tx, code=code)
    if found is None:
        raise ProgrammeUnknown(programme=code[:60])
    return found


async def published_by_id(tx: Tx, programme_id: UUID) -> Programme:
    found = await tables.find_published(tx, programme_id=programme_id)
    if found is None:
        raise ProgrammeUnknown(programme=str(programme_id))
    return found


async def versions(tx: Tx, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], Programme]:
    """Programmes under the very versions asked for, by (programme id, version)."""
    return await tables.find_versions(tx, wanted) if wanted else {}


async def every_published(tx: Tx) -> list[Programme]:
    """All of them, whatever their number: for jobs, which must not leave one out."""
    return await tables.list_programmes(tx, published=True, limit=None)


async def all_published(tx: Tx) -> list[Programme]:
    """A page for people: the first 200 published programmes."""
    return await tables.list_programmes(tx, published=True, limit=MAX_PROGRAMMES)


async def all_newest(tx: Tx) -> list[Programme]:
    """A page for officers: the first 200 programmes, each with its newest version, drafts among them."""
    return await tables.list_programmes(tx, published=False, limit=MAX_PROGRAMMES)


async def newest_proposal(tx: Tx, code: str) -> tuple[Proposal, bool]:
    """The newest version of a programme's terms, and whether it is approved; for officers."""
    programme_id = await tables.find_programme_id(tx, code)
    newest = await tables.last_version(tx, programme_id) if programme_id else None
    if newest is None:
        raise ProgrammeUnknown(programme=code[:60])
    return newest


async def stock(tx: Tx, programme_id: UUID) -> Stock:
    found = await tables.read_stock(tx, programme_id)
    if found is None:
        raise ProgrammeUnknown(programme=str(programme_id))
    return found
