"""Move a programme's stock: reserved, sold, given back, granted. The CHECKs make it exact."""

from services.campaigns import tables
from services.campaigns.programme import GrantBudgetExhausted, Programme, StockExhausted
from services.kit.db import Tx


async def reserve(tx: Tx, programme: Programme, units: int) -> None:
    """Hold units for a checkout; StockExhausted if they are not there. Call last: the row is hot."""
    if not await tables.move_stock(tx, programme.id, reserve=units, sell=0):
        raise StockExhausted(programme=programme.code)


async def sell_reserved(tx: Tx, programme: Programme, units: int) -> None:
    await _must_move(tx, programme, -units, units)


async def release(tx: Tx, programme: Programme, units: int) -> None:
    await _must_move(tx, programme, -units, 0)


async def take_back(tx: Tx, programme: Programme, units: int) -> None:
    """Units of an undone purchase are for sale again."""
    await _must_move(tx, programme, 0, -units)


async def grant(tx: Tx, programme: Programme, points: int) -> None:
    """Take from the budget for grants; GrantBudgetExhausted names what is left."""
    left = await tables.take_grant_budget(tx, programme.id, points)
    if left is not None:
        raise GrantBudgetExhausted(programme=programme.code, left_points=left)


async def _must_move(tx: Tx, programme: Programme, reserve_units: int, sell_units: int) -> None:
    if not await tables.move_stock(tx, programme.id, reserve=reserve_units, sell=sell_units):
        raise AssertionError("a move that frees stock always fits")
