"""What a closed wallet's lots hold goes on to the lots in their place, in the wallet that it was merged into.

Law: nothing is created and nothing lost. A lot that takes another's place is the same promise: its programme and
version, purse, stores, origin, dates and limits; it begins empty. What moves is a journal for each lot, paid part to
paid part and premium to premium. What has expired expires where it lies and never moves.
"""

from collections.abc import Sequence
from uuid import UUID

from services.kit.db import Tx
from services.ledger import post
from services.wallets.expire import expire_lots
from services.wallets.lots import Lot, Parts, move_journal
from services.wallets.tables import holdings, merges
from services.wallets.wallet import Wallet


async def pass_on(tx: Tx, line: tuple[Wallet, Wallet]) -> int:
    """Let all that a closed wallet's lots hold go to the living one of its line, both locked; in yen.

    Does nothing for a wallet that is not closed.
    """
    closed, living = line
    if closed.id == living.id:
        return 0
    lots = await merges.lots_to_pass_on(tx, closed.id)
    await expire_lots(tx, [lot for lot in lots if lot.has_expired(tx.now)])
    places = await _places(tx, living, lots)
    held = [lot for lot in lots if lot.remaining_yen > 0 and not lot.has_expired(tx.now)]
    # What a place still holds though its time is over is not revived by what comes to it.
    await expire_lots(tx, [place for lot in held if (place := places[lot.id]).has_expired(tx.now)])
    longer = {places[lot.id].id: lot.expires_at for lot in held if lot.expires_at > places[lot.id].expires_at}
    if longer:
        await merges.lengthen(tx, longer)
    return await _move(tx, [(_all_of(lot), places[lot.id].id) for lot in held])


async def bring_back(tx: Tx, lots: Sequence[Lot]) -> None:
    """Let lots have back what the lots in their place hold, for a purchase that is to be undone whole.

    All wallets of their line are locked.
    """
    places = await merges.last_in_place_of(tx, [lot.id for lot in lots])
    held = [(place, lot) for lot in lots if (place := places.get(lot.id)) is not None and place.remaining_yen > 0]
    await _move(tx, [(_all_of(place), lot.id) for place, lot in held if not place.has_expired(tx.now)])


async def _places(tx: Tx, living: Wallet, lots: Sequence[Lot]) -> dict[UUID, Lot]:
    """The lot in each one's place, made where there is none yet."""
    places = await merges.last_in_place_of(tx, [lot.id for lot in lots])
    new = [lot.id for lot in lots if lot.id not in places]
    if new:
        await merges.put_in_place(tx, living.id, [(lot_id, tx.new_id()) for lot_id in new])
        places |= await merges.last_in_place_of(tx, new)
    return places


async def _move(tx: Tx, moved: Sequence[tuple[Parts, UUID]]) -> int:
    if not moved:
        return 0
    deeds = [(tx.new_id(), parts, to_lot_id) for parts, to_lot_id in moved]
    await holdings.empty_lots(tx, [parts for parts, _ in moved])
    await holdings.give_to_lots(tx, [_given(parts, to_lot_id) for parts, to_lot_id in moved])
    await merges.insert_moves(tx, [(one, each.lot_id, to, each.paid_yen, each.premium_yen) for one, each, to in deeds])
    await post.post(tx, [move_journal(*deed) for deed in deeds])
    return sum(parts.total_yen for parts, _ in moved)


def _all_of(lot: Lot) -> Parts:
    return Parts(lot.id, lot.programme_id, lot.origin, lot.paid_yen, lot.premium_yen)


def _given(parts: Parts, lot_id: UUID) -> Parts:
    return Parts(lot_id, parts.programme_id, parts.origin, parts.paid_yen, parts.premium_yen)
