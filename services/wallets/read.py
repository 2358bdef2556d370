"""Read a wallet: balance by purse and expiry, history, purchases, phones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.campaigns import read as campaigns
from services.identity import read as identity
from services.kit.db import Tx
from services.kit.errors import Missing
from services.ledger import read as ledger
from services.ledger.journal import Movement
from services.wallets.care import Care
from services.wallets.closed import living
from services.wallets.lots import Lot, last_day
from services.wallets.purchase import Purchase
from services.wallets.tables import access, care, holdings, purchases
from services.wallets.wallet import Device, Held, Wallet

MAX_PURCHASES = 501


@dataclass(frozen=True)
class PurseBalance:
    """What one purse holds until one expiry, in points; soonest first, as they are spent."""

    programme: str
    programme_name: str
    purse: str
    purse_name: str
    points: int
    paid_points: int
    premium_points: int
    store_classes: tuple[str, ...]
    usable_from: datetime
    expires_on: date


@dataclass(frozen=True)
class Balance:
    """A wallet at an instant; points whose time is over are not in it, swept or not."""

    wallet: Wallet
    total_points: int
    purses: tuple[PurseBalance, ...]
    at: datetime


async def device_keys(tx: Tx, device_ids: Collection[UUID]) -> dict[UUID, str]:
    """The registered public keys of phones as JSON; unknown phones are left out. A key never changes."""
    return await access.find_keys(tx, device_ids)


async def wallets_of(tx: Tx, account_id: UUID) -> list[Wallet]:
    return await access.find_wallets_of(tx, account_id)


async def wallet_for(tx: Tx, wallet_id: UUID, account_id: UUID) -> Wallet:
    """The wallet, if the account acts for its person; Missing otherwise."""
    wallet = await access.find_wallet_for(tx, wallet_id, account_id)
    if wallet is None:
        raise Missing()
    return wallet


async def wallet_by_id(tx: Tx, wallet_id: UUID) -> Wallet:
    wallet = await access.find_wallet(tx, wallet_id=wallet_id)
    if wallet is None:
        raise Missing()
    return wallet


async def held_wallet(tx: Tx, wallet_id: UUID, account_id: UUID) -> Held:
    """The wallet, if the account acts for its person or cares for them now; Missing otherwise."""
    held = await access.find_held(tx, wallet_id, account_id)
    if held is None:
        raise Missing()
    return held


async def wallet_by_number(tx: Tx, number: str) -> Wallet:
    wallet = await access.find_wallet(tx, number=number)
    if wallet is None:
        raise Missing()
    return wallet


async def person_of_number(tx: Tx, number: str) -> UUID:
    """Whose the wallet is, by an old number too: of a wallet that was merged, whose it is now. Raises Missing."""
    return (await living(tx, await wallet_by_number(tx, number))).person_id


async def persons_of_numbers(tx: Tx, numbers: Collection[str]) -> set[UUID]:
    """Whose the wallets of these numbers are; unknown numbers are left out."""
    return {wallet.person_id for wallet in (await access.find_by_numbers(tx, numbers)).values()}


async def balance(tx: Tx, wallet: Wallet) -> Balance:
    lots = [lot for lot in await holdings.read_lots(tx, wallet.id) if not lot.has_expired(tx.now)]
    programmes = await campaigns.versions(tx, {(lot.programme_id, lot.programme_version) for lot in lots})
    groups: dict[tuple[object, ...], list[Lot]] = {}
    for lot in sorted(lots, key=lambda each: (each.expires_at, each.usable_from, each.purse, each.id)):
        key = (lot.expires_at, lot.usable_from, lot.programme_id, lot.programme_version, lot.purse)
        groups.setdefault(key, []).append(lot)
    purses = []
    for same in groups.values():
        programme = programmes[same[0].programme_id, same[0].programme_version]
        purses.append(_purse(same, programme.code, programme.terms.name, programme.terms.purse(same[0].purse).name))
    return Balance(wallet, sum(lot.remaining_yen for lot in lots), tuple(purses), tx.now)


def _purse(lots: Sequence[Lot], programme: str, programme_name: str, purse_name: str) -> PurseBalance:
    first = lots[0]
    paid, premium = sum(lot.paid_yen for lot in lots), sum(lot.premium_yen for lot in lots)
    return PurseBalance(
        programme,
        programme_name,
        first.purse,
        purse_name,
        paid + premium,
        paid,
        premium,
        first.store_classes,
        first.usable_from,
        last_day(first),
    )


async def history(tx: Tx, wallet: Wallet, *, limit: int = 100, before: Movement | None = None) -> list[Movement]:
    """What deeds did to the wallet, newest first, straight from the ledger, from the one after `before`."""
    return await ledger.movements(tx, await holdings.lot_ids_of(tx, wallet.id), limit=limit, before=before)


async def purchase_of(tx: Tx, wallet: Wallet, purchase_id: UUID) -> Purchase:
    purchase = await purchases.find_purchase(tx, purchase_id)
    if purchase is None or not await belongs(tx, wallet, purchase.wallet_id):
        raise Missing()
    return purchase


async def belongs(tx: Tx, wallet: Wallet, wallet_id: UUID) -> bool:
    """Whether a deed of a wallet is this one's: its own, or of one that was merged into it."""
    return wallet_id == wallet.id or wallet_id in await access.closed_before(tx, wallet.id)


async def purchases_of(tx: Tx, wallet: Wallet, *, after: UUID | None = None, limit: int = 100) -> list[Purchase]:
    """Newest first, from the one after `after`, at most 501: a page of 500, and whether there is more."""
    return await purchases.purchases_of(tx, wallet.id, after, min(limit, MAX_PURCHASES))


async def devices_of(tx: Tx, held: Held) -> list[Device]:
    """The wallet's phones; a carer sees their own only."""
    found = await access.find_devices(tx, held.wallet.id)
    return [each for each in found if held.care is None or each.account_id == held.care.account_id]


async def carers_of(tx: Tx, deed_ids: Collection[UUID]) -> dict[UUID, str]:
    """For those of the deeds that a carer did: what the wallet's person calls them."""
    return await care.carers_of_deeds(tx, deed_ids)


async def persons_in_care_with(tx: Tx, person_ids: Collection[UUID]) -> set[UUID]:
    """Everybody on either side of a care that counts now with any of these persons; one statement."""
    found = await care.cares_of(tx, person_ids)
    return {each.carer_id for each in found} | {each.cared_for_id for each in found}


async def care_around(tx: Tx, account_id: UUID) -> tuple[UUID, Sequence[Care]]:
    """An account's own person, and the care that counts with them on either side. Raises Missing."""
    person_id = await identity.own_person(tx, account_id)
    return person_id, await care.cares_of(tx, {person_id})


async def waiting_purchases(tx: Tx, *, after: UUID | None = None, limit: int = 500) -> list[Purchase]:
    """Purchases that wait for their channel's word, or for their money to go back; oldest first.

    Ask on with the last one's id: some that cannot be settled must not hide the others.
    """
    return await purchases.open_purchases(tx, after, limit)
