"""Work that several transactions may ask for at once, and that one does at a time."""

from sqlalchemy import Executable, Text, bindparam, func, select

from services.kit.db import Tx
from services.kit.statements import Statement


async def take_turn(tx: Tx, name: str) -> None:
    """Wait until no other transaction of the city holds this name's turn; hold it until the end of this one.

    An advisory lock: it only makes others wait. What must never happen twice is made impossible by a key of the tables.
    """
    await _TURN.rows(tx, {"name": name})


def _turn() -> Executable:
    return select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text()), 0)))


_TURN = Statement(_turn)
