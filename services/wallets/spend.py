"""Spend from a wallet and give back to it, under the wallet's lock. Payments are built on this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns.programme import Programme, ProgrammeClosed
from services.kit.db import Tx
from services.kit.errors import Kind, Missing, Refusal
from services.kit.frozen import quick
from services.kit.waiting import Elsewhere
from services.wallets.allocation import Ceiling, LimitReached, Shortfall, Taken, allocate
from services.wallets.expire import expire_lots
from services.wallets.lots import Lot, Parts
from services.wallets.move_lots import pass_on
from services.wallets.revival import revived_until
from services.wallets.tables import access, holdings
from services.wallets.wallet import Absent, DeviceBlocked, Payer, PayerAsked, PayingDevice, Wallet, must_be_active


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


@quick
@dataclass(frozen=True)
class Want:
    """`amount_yen` (> 0) of a payer, at a store of this class.

    `against` is what stands against it beside the points: whoever has too few of them hears that first.
    """

    payer: Payer
    amount_yen: int
    store_class: str
    against: Refusal | None = None


@quick
@dataclass(frozen=True)
class Spent:
    """Which lots paid, in order, and what the wallet holds afterwards (valid points, in yen)."""

    parts: tuple[Parts, ...]
    balance_after_yen: int


async def lock_payers(tx: Tx, asked: Sequence[PayerAsked], *, wait: bool) -> list[Payer | Absent | Elsewhere]:
    """Lock the wallets, in the order of their ids, then read each payer as it is under its lock.

    For each that was asked, in their order: the payer; `Absent` where there is no such wallet or
    phone, or nobody who may act for it; `Elsewhere.HELD` where somebody else holds the wallet and we do not `wait`.
    The locks come first and the reading is a statement of its own, so that it sees everything that
    was committed while we waited: blocked phones, suspended wallets, closed accounts.
    """
    wanted = {each.wallet_id for each in asked}
    locked = await access.lock_wallets(tx, wanted, wait=wait)
    payers = await holdings.read_payers(tx, asked)
    if locked == wanted:
        return list(payers)
    # Who was found without a lock is held elsewhere, or came into being while we looked.
    unlocked = Absent.WALLET if wait else Elsewhere.HELD
    return [unlocked if isinstance(payer, Payer) and payer.wallet.id not in locked else payer for payer in payers]


def must_be_usable(wallet: Wallet, device: PayingDevice) -> None:
    """Raise unless the phone may sign and the wallet may pay."""
    if device.status != "active":
        raise DeviceBlocked()
    must_be_active(wallet)


async def lock(tx: Tx, wallet_id: UUID) -> tuple[Wallet, Wallet]:
    """Lock a wallet whatever its state: a refund reaches a suspended wallet, too.

    The wallet, and the one in which its value lies, which is another one if it was merged.
    """
    line = await access.lock_line(tx, wallet_id)
    if line is None:
        raise Missing()
    return line


async def spend(tx: Tx, wants: Sequence[Want]) -> list[Spent | Refusal]:
    """Take what is wanted from locked wallets, each its own outcome; every wallet at most once.

    One statement for those that can pay, however many; two more when some cannot, for the words.
    """
    outcomes: list[Spent | Refusal | None] = [None] * len(wants)
    short: list[tuple[int, Want, Shortfall | LimitReached]] = []
    parts: list[Parts] = []
    counted: list[tuple[UUID, UUID, int, int]] = []
    for place, want in enumerate(wants):
        payer = want.payer
        ceilings = _ceilings(payer.lots, payer.spent_today)
        found = allocate(payer.lots, want.amount_yen, want.store_class, tx.now, ceilings)
        if isinstance(found, Taken) and want.against is not None:
            outcomes[place] = want.against
        elif isinstance(found, Taken):
            parts += found.parts
            counted += _counted(payer, found, ceilings)
            held = sum(lot.remaining_yen for lot in payer.lots if not lot.has_expired(tx.now))
            outcomes[place] = Spent(found.parts, held - want.amount_yen)
        else:
            short.append((place, want, found))
    if parts:
        await holdings.take_from_lots(tx, parts, counted)
    if short:
        for (place, _, _), refusal in zip(short, await _refusals(tx, short), strict=True):
            outcomes[place] = refusal
    return [outcome for outcome in outcomes if outcome is not None]


def _counted(payer: Payer, taken: Taken, ceilings: Mapping[UUID, Ceiling]) -> list[tuple[UUID, UUID, int, int]]:
    """What counts against the day: (wallet, programme, yen, the day's limit in yen)."""
    yen: dict[UUID, int] = {}
    for part in taken.parts:
        yen[part.programme_id] = yen.get(part.programme_id, 0) + part.total_yen
    return [
        (payer.wallet.id, key, spent, payer.spent_today[key] + ceilings[key].day_left_yen) for key, spent in yen.items()
    ]


def _ceilings(lots: Sequence[Lot], spent_today: Mapping[UUID, int]) -> dict[UUID, Ceiling]:
    """Each programme's limits, by the newest version that the wallet holds lots of."""
    newest: dict[UUID, Lot] = {}
    for lot in lots:
        known = newest.get(lot.programme_id)
        if known is None or lot.programme_version > known.programme_version:
            newest[lot.programme_id] = lot
    return {
        key: Ceiling(lot.payment_limit_yen, max(0, lot.day_limit_yen - spent_today[key])) for key, lot in newest.items()
    }


async def _refusals(
    tx: Tx, short: Sequence[tuple[int, Want, Shortfall | LimitReached]]
) -> list[PointsMissing | DayLimitReached | PaymentLimitReached | ProgrammeClosed]:
    """Why each cannot pay, with the programmes' names."""
    missing = [want.payer.wallet.id for _, want, found in short if isinstance(found, Shortfall)]
    last = await holdings.read_last_lots(tx, missing) if missing else {}
    lots = [lot for _, want, _ in short for lot in want.payer.lots] + list(last.values())
    codes = await _codes(tx, lots)
    return [_refusal(tx, found, last.get(want.payer.wallet.id), codes) for _, want, found in short]


def _refusal(
    tx: Tx, found: Shortfall | LimitReached, last: Lot | None, codes: Mapping[UUID, str]
) -> PointsMissing | DayLimitReached | PaymentLimitReached | ProgrammeClosed:
    match found:
        case Shortfall(missing_yen, idle):
            if last is not None and last.has_expired(tx.now):
                # Every programme that the wallet had part in is over: that says it more plainly.
                return ProgrammeClosed(programme=codes[last.programme_id])
            named = [
                {"programme": codes[each.programme_id], "purse": each.purse, "yen": each.yen, "reason": each.why.value}
                for each in idle
            ]
            return PointsMissing(missing_yen=missing_yen, idle=named)
        case LimitReached(programme_id, per_day, limit_yen):
            if per_day:
                return DayLimitReached(programme=codes[programme_id], left_yen=limit_yen)
            return PaymentLimitReached(programme=codes[programme_id], limit_yen=limit_yen)


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
    Call `settle` after the refund's journal is posted.
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


async def settle(tx: Tx, parts: Sequence[Parts], line: tuple[Wallet, Wallet]) -> None:
    """After a refund's journal: expire what no rule revives; what is left goes on to where the person's value lies."""
    await settle_expired(tx, parts)
    await pass_on(tx, line)


async def uncount(tx: Tx, wallet: Wallet, day: date, spent: dict[UUID, int]) -> None:
    """A payment cancelled on its own day frees that day's limits, by programme in yen."""
    await holdings.uncount_spent(tx, wallet.id, day, spent)
