"""Spend from a wallet and give back to it, under the wallet's lock. Payments are built on this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns.programme import Programme, ProgrammeClosed
from services.kit.db import Tx
from services.kit.errors import Kind, Missing, Refusal
from services.wallets.allocation import Ceiling, LimitReached, Shortfall, Taken, allocate
from services.wallets.expire import expire_lots
from services.wallets.lots import Lot, Parts
from services.wallets.revival import revived_until
from services.wallets.tables import access, holdings
from services.wallets.wallet import Device, DeviceBlocked, DeviceUnknown, Wallet, must_be_active


class PointsMissing(Refusal):
    """The wallet does not hold the amount for this store.

    `missing_yen` is what lacks; `idle` lists purses that hold value which does not count
    here, each with the reason: expired, not_yet, store_class.
    """

    code = "points_missing"
    kind = Kind.CONFLICT


class PaymentLimitReached(Refusal):
    """A programme allows at most `limit_yen` in one payment."""

    code = "payment_limit_reached"
    kind = Kind.CONFLICT


class DayLimitReached(Refusal):
    """A programme's limit for one day leaves `left_yen` today."""

    code = "day_limit_reached"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Spent:
    """Which lots paid, in order, and what the wallet holds afterwards (valid points, in yen)."""

    parts: tuple[Parts, ...]
    balance_after_yen: int


async def lock_for_account(tx: Tx, wallet_id: UUID, account_id: UUID) -> Wallet:
    """Lock an active wallet that the account acts for; Missing for anybody else's."""
    wallet = await access.lock_wallet(tx, wallet_id, account_id)
    if wallet is None:
        raise Missing()
    must_be_active(wallet)
    return wallet


async def lock_for_device(tx: Tx, device_id: UUID) -> tuple[Wallet, Device]:
    """Lock the wallet of a phone; its key as registered. Whether they may pay is `must_be_usable`'s to say."""
    found = await access.lock_by_device(tx, device_id)
    if found is None:
        raise DeviceUnknown()
    return found


def must_be_usable(wallet: Wallet, device: Device) -> None:
    """Raise unless the phone may sign and the wallet may pay."""
    if device.status != "active":
        raise DeviceBlocked()
    must_be_active(wallet)


async def lock(tx: Tx, wallet_id: UUID) -> Wallet:
    """Lock a wallet whatever its state: a refund reaches a suspended wallet, too."""
    wallet = await access.lock_wallet(tx, wallet_id)
    if wallet is None:
        raise Missing()
    return wallet


async def spend(tx: Tx, wallet: Wallet, amount_yen: int, store_class: str) -> Spent:
    """Take `amount_yen` (> 0) from a locked wallet's lots; two statements."""
    lots, spent_today = await holdings.read_spendable(tx, wallet.id)
    ceilings = _ceilings(lots, spent_today)
    match allocate(lots, amount_yen, store_class, tx.now, ceilings):
        case Taken(parts):
            taken: dict[UUID, tuple[int, int]] = {}
            for part in parts:
                yen, _ = taken.get(part.programme_id, (0, 0))
                limit = spent_today[part.programme_id] + ceilings[part.programme_id].day_left_yen
                taken[part.programme_id] = (yen + part.total_yen, limit)
            await holdings.take_from_lots(tx, wallet.id, parts, taken)
            held = sum(lot.remaining_yen for lot in lots if not lot.has_expired(tx.now))
            return Spent(parts, held - amount_yen)
        case Shortfall(missing_yen, idle):
            await _must_not_be_over(tx, wallet)
            codes = await _codes(tx, lots)
            named = [
                {"programme": codes[each.programme_id], "purse": each.purse, "yen": each.yen, "reason": each.why.value}
                for each in idle
            ]
            raise PointsMissing(missing_yen=missing_yen, idle=named)
        case LimitReached(programme_id, per_day, limit_yen):
            programme = (await _codes(tx, lots))[programme_id]
            if per_day:
                raise DayLimitReached(programme=programme, left_yen=limit_yen)
            raise PaymentLimitReached(programme=programme, limit_yen=limit_yen)


def _ceilings(lots: Sequence[Lot], spent_today: dict[UUID, int]) -> dict[UUID, Ceiling]:
    """Each programme's limits, by the newest version that the wallet holds lots of."""
    newest: dict[UUID, Lot] = {}
    for lot in lots:
        known = newest.get(lot.programme_id)
        if known is None or lot.programme_version > known.programme_version:
            newest[lot.programme_id] = lot
    return {
        key: Ceiling(lot.payment_limit_yen, max(0, lot.day_limit_yen - spent_today[key])) for key, lot in newest.items()
    }


async def _must_not_be_over(tx: Tx, wallet: Wallet) -> None:
    """Points are missing: say so plainly where every programme that the wallet had part in is over."""
    last = await holdings.read_last_lot(tx, wallet.id)
    if last is not None and last.has_expired(tx.now):
        raise ProgrammeClosed(programme=(await _codes(tx, [last]))[last.programme_id])


async def _codes(tx: Tx, lots: Sequence[Lot]) -> dict[UUID, str]:
    found = await campaigns.versions(tx, {(lot.programme_id, lot.programme_version) for lot in lots})
    return {programme.id: programme.code for programme in found.values()}


async def lots_of_parts(tx: Tx, lot_ids: Sequence[UUID]) -> dict[UUID, Lot]:
    return await holdings.read_lots_by_id(tx, lot_ids)


async def give_back(
    tx: Tx, wallet: Wallet, parts: Sequence[Parts], programmes: Mapping[tuple[UUID, int], Programme]
) -> None:
    """Give parts back to the very lots of a locked wallet, and see to lots that have expired meanwhile.

    What such a lot still held before is expired first, so that a refund never revives it.
    By the programme's rule the refund is then usable for some days, or expires at once.
    Call `settle_expired` after the refund's journal is posted.
    """
    lots = await holdings.read_lots_by_id(tx, [part.lot_id for part in parts])
    await expire_lots(tx, [lot for lot in lots.values() if lot.has_expired(tx.now)])
    await holdings.give_to_lots(tx, parts)
    revived = {
        lot.id: until
        for lot in lots.values()
        if lot.has_expired(tx.now)
        and (until := revived_until(programmes[lot.programme_id, lot.programme_version].terms, lot, tx.now)) is not None
    }
    if revived:
        await holdings.extend_lots(tx, revived)


async def settle_expired(tx: Tx, parts: Sequence[Parts]) -> None:
    """Expire again what went back to lots that no rule revives."""
    lots = await holdings.read_lots_by_id(tx, [part.lot_id for part in parts])
    await expire_lots(tx, [lot for lot in lots.values() if lot.has_expired(tx.now)])


async def uncount(tx: Tx, wallet: Wallet, day: date, spent: dict[UUID, int]) -> None:
    """A payment cancelled on its own day frees that day's limits, by programme in yen."""
    await holdings.uncount_spent(tx, wallet.id, day, spent)
