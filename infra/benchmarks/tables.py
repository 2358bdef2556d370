"""Every statement that the benchmarks themselves send, each with what it is for."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.database.connect import quoted

SHOWN: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "huge_pages_status",
    "max_wal_size",
    "max_connections",
    "jit",
)
"""What decides whether a figure was honestly come by."""

_EARLIER = timedelta(seconds=1)

MINIMAL_PAYMENT: Final = """\
\\set wallet random(0, :payers - 1)
\\set store random(0, :tills - 1)
\\set yen random(1, 500)
BEGIN;
UPDATE wallet SET balance_yen = balance_yen - :yen WHERE id = :wallet;
INSERT INTO payment (id, key, wallet_id, store_id, amount_yen, paid_at)
VALUES (gen_random_uuid(), gen_random_uuid(), :wallet, :store, :yen, now()) RETURNING id \\gset
INSERT INTO posting (payment_id, account, yen) VALUES
(CAST(:id AS uuid), 'wallet', 0 - CAST(:yen AS bigint)),
(CAST(:id AS uuid), 'store', CAST(:yen AS bigint)),
(CAST(:id AS uuid), 'memo', 0);
COMMIT;
"""
"""pgbench's own script for the minimal payment: the payer's row locked, an id that pays once, three postings."""


async def settings(connection: AsyncConnection) -> dict[str, str]:
    """The server's settings as they are in force."""
    found = await connection.execute(
        text("SELECT name, current_setting(name) FROM unnest(CAST(:names AS text[])) AS name"), {"names": list(SHOWN)}
    )
    return {row[0]: row[1] for row in found}


async def is_there(connection: AsyncConnection, database: str) -> bool:
    """Whether the server has a database of this name."""
    found = await connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database})
    return found.scalar() is not None


async def rename(connection: AsyncConnection, database: str, name: str) -> None:
    """Give a database, which nobody may be using, another name."""
    await connection.execute(text(f"ALTER DATABASE {quoted(database)} RENAME TO {quoted(name)}"))


async def now(connection: AsyncConnection) -> datetime:
    """The database's own instant."""
    found: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return found


async def payments(connection: AsyncConnection) -> int:
    """How many payments are stored, all of them."""
    return int((await connection.execute(text("SELECT count(*) FROM payment"))).scalar_one())


async def payment_ids(connection: AsyncConnection, since: datetime) -> set[str]:
    """The ids of payments since an instant, by their own time; a few earlier ones may be among them."""
    earliest = UUID(int=int((since - _EARLIER).timestamp() * 1_000) << 80)
    found = await connection.execute(text("SELECT CAST(id AS text) FROM payment WHERE id >= :id"), {"id": earliest})
    return set(found.scalars())


async def checkpoint(connection: AsyncConnection) -> None:
    """Write everything dirty, so that no repetition pays for what another left."""
    await connection.execute(text("CHECKPOINT"))


async def fill(connection: AsyncConnection, payers: int) -> None:
    """The small schema's wallets, with more than anybody can spend."""
    statement = "INSERT INTO wallet (id, balance_yen) SELECT n, 1000000000000 FROM generate_series(0, :last) AS n"
    await connection.execute(text(statement), {"last": payers - 1})
    await connection.execute(text("VACUUM ANALYZE wallet"))


async def close_without_deeds(connection: AsyncConnection, rows: Sequence[Mapping[str, object]]) -> None:
    """Days that were closed before their deeds; nothing came late to them: all deeds are the next close's."""
    statement = (
        "INSERT INTO settlement_close"
        " (id, programme_id, closing_date, cutoff_at, transfer_date, final, closed_at, late_since)"
        " VALUES (:id, :programme_id, :closing_date, :cutoff_at, :transfer_date, false, :cutoff_at, clock_timestamp())"
    )
    await connection.execute(text(statement), list(rows))


async def wallet_numbers(connection: AsyncConnection, limit: int) -> list[str]:
    """The numbers of so many wallets."""
    found = await connection.execute(text("SELECT number FROM wallet ORDER BY id LIMIT :limit"), {"limit": limit})
    return list(found.scalars())


async def analyse(connection: AsyncConnection) -> None:
    """Count everything anew, as the server does by itself after a while."""
    await connection.execute(text("ANALYZE"))
