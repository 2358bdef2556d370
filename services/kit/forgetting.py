"""Remove what is over and was kept for its time, by a function of the database that removes nothing else.

Law: the application's role deletes no row of any table. It asks one of the functions that the migrations made, each
for named tables after stated days, a batch at a time; the database's own clock bounds what the program may say.
"""

from typing import Final

from sqlalchemy import Integer, bindparam, func, select

from services.kit.db import Tx
from services.kit.tables import Instant

BATCH: Final = 1_000
"""Rows of each table in one transaction; the functions remove no more, whatever they are asked."""


async def forget(tx: Tx, function: str, batch: int) -> int:
    """How many rows are gone; 0 when nothing is left that is over."""
    at, most = bindparam("at", tx.now, type_=Instant), bindparam("most", batch, type_=Integer())
    asked = select(getattr(func, function)(at, most))
    return int((await tx.connection.execute(asked)).scalar_one())
