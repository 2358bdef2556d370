"""Every row of a database, digested: what a refusal must leave exactly as it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.migrate import metadata


async def digests(engine: AsyncEngine) -> dict[str, str]:
    """Each table's rows as one digest."""
    names = sorted(metadata().tables)
    parts = (
        f"SELECT '{name}' AS name, coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {name} t"
        for name in names
    )
    async with engine.connect() as connection:
        rows = await connection.execute(text(" UNION ALL ".join(parts)))
        return {row[0]: row[1] for row in rows}


@asynccontextmanager
async def unchanged(engine: AsyncEngine) -> AsyncIterator[None]:
    """What happens inside must leave every row of every table alone."""
    before = await digests(engine)
    yield
    after = await digests(engine)
    assert after == before, [name for name in before if after[name] != before[name]]
