"""Buy points through a checkout: reserve cap and stock, then paid or lapsed, or undone whole.

Whatever the channel says, once, twice, late or never, has one effect. Money that comes
after the reservation's time, or is not what the purchase costs, never becomes points: it
waits in suspense and goes back. That the time is over is a matter of the instant alone,
whether anybody has swept the reservation yet or not (docs/decisions/0013). What a wallet had begun
to buy before it was merged into another is issued as ever, and goes on to that one in the same deed.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns import sell
from services.campaigns.programme import NotOnSale, Programme
from services.kit import audit
from services.kit.clock import start_of
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.ledger import post
from services.ledger.chart import Account
from services.ledger.journal import JournalKind, Posting, entry
from services.residency.may_buy import require_residency
from services.wallets.checkout import CheckoutPort
from services.wallets.lots import Lot, Origin, Parts, issue_journal, new_lot
from services.wallets.move_lots import bring_back, pass_on
from services.wallets.note_deeds import CareDeed, note_deeds
from services.wallets.purchase import (
    MAX_UNITS,
    RESERVED_FOR,
    CapExceeded,
    Purchase,
    PurchaseNotUndoable,
    PurchaseStatus,
    UnitsInvalid,
)
from services.wallets.tables import access, holdings, purchases
from services.wallets.wallet import Wallet, must_be_active

NUMBER_PREFIX, NUMBER_LENGTH = "B", 9

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Buy:
    """An account asks to buy whole units into a wallet that it acts for, or whose person it cares for."""

    wallet_id: UUID
    account_id: UUID
    programme_code: str
    units: int


@dataclass(frozen=True)
class AttachCheckout:
    purchase_id: UUID
    checkout_id: str


@dataclass(frozen=True)
class CheckoutWord:
    """What a channel says of a session: paid or not, and how much (yen)."""

    checkout_id: str
    paid: bool
    amount_yen: int


@dataclass(frozen=True)
class Undo:
    """An officer undoes a purchase of which nothing was used."""

    number: str
    reason: str
    officer_id: UUID


async def reserve(tx: Tx, command: Buy) -> Purchase:
    """Hold cap and stock for a checkout. The stock's row is hot, so it is locked last."""
    if not 1 <= command.units <= MAX_UNITS:
        raise UnitsInvalid(most=MAX_UNITS)
    programme = await campaigns.published(tx, command.programme_code)
    held = await access.hold_wallet(tx, command.wallet_id, command.account_id)
    if held is None:
        raise Missing()
    wallet = held.wallet
    must_be_active(wallet)
    if not programme.on_sale(tx.now):
        raise NotOnSale(programme=programme.code)
    terms = programme.terms
    await require_residency(tx, command.account_id, wallet.person_id, residents_only=terms.residents_only)
    purchase = Purchase(
        id=tx.new_id(),
        number=tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH),
        wallet_id=wallet.id,
        programme_id=programme.id,
        programme_version=programme.version,
        units=command.units,
        price_yen=command.units * terms.unit_price_yen,
        points=command.units * terms.unit_points,
        status=PurchaseStatus.RESERVED,
        checkout_id=None,
        reserved_at=tx.now,
        reserved_until=tx.now + RESERVED_FOR,
        paid_at=None,
    )
    left = await purchases.count_bought(tx, wallet.id, programme.id, purchase.price_yen, terms.cap_yen)
    if left is not None:
        raise CapExceeded(cap_yen=terms.cap_yen, left_yen=left)
    await purchases.insert_purchase(tx, purchase)
    if held.care is not None:
        await note_deeds(tx, "care.bought", [CareDeed(purchase.id, wallet.id, held.care)])
    await sell.reserve(tx, programme, command.units)
    return purchase


async def attach_checkout(tx: Tx, command: AttachCheckout) -> None:
    """Note the channel's id of the session, before the resident is sent there."""
    await purchases.attach_checkout(tx, command.purchase_id, command.checkout_id)


async def hear(tx: Tx, word: CheckoutWord) -> Purchase:
    """Act on a channel's word, by webhook or by poll: any number of times, in any order.

    Money of another amount than the price is taken note of, held and sent back as it came.
    """
    found = await purchases.find_by_checkout(tx, word.checkout_id)
    if found is None:
        raise Missing()
    line = await _lock(tx, found)
    purchase = await _reread(tx, found.id)
    match purchase.status, word.paid and word.amount_yen > 0:
        case PurchaseStatus.RESERVED, True:
            await _take_money(tx, purchase, word.amount_yen)
            await pass_on(tx, line)
        case PurchaseStatus.RESERVED, False:
            await _lapse(tx, purchase)
        case PurchaseStatus.LAPSED, True:
            await _hold_late_money(tx, purchase, word.amount_yen)
        case _:
            return purchase
    return await _reread(tx, purchase.id)


async def lapse(tx: Tx, purchase_id: UUID) -> Purchase:
    """Free a reservation whose time is over; nothing happens if it was paid meanwhile."""
    purchase = await _locked(tx, purchase_id)
    if purchase.status is PurchaseStatus.RESERVED and tx.now >= purchase.reserved_until:
        await _lapse(tx, purchase)
    return await _reread(tx, purchase_id)


async def late_money_returned(tx: Tx, purchase_id: UUID) -> Purchase:
    """Book that late money went back to the resident through its channel."""
    purchase = await _locked(tx, purchase_id)
    if purchase.status is PurchaseStatus.LATE:
        yen = purchase.received_yen or purchase.price_yen
        postings = (Posting(Account.SUSPENSE, yen), Posting(Account.CASH_RECEIVABLE, -yen))
        await post.post(tx, [entry(purchase.programme_id, JournalKind.MONEY_RETURNED, purchase.id, postings)])
        await purchases.set_status(tx, purchase.id, PurchaseStatus.RETURNED)
        await purchases.set_money_returned(tx, purchase.id)
    return await _reread(tx, purchase_id)


async def undone_money_returned(tx: Tx, purchase_id: UUID) -> Purchase:
    """Note that an undone purchase's money went back; its journal was reversed when it was undone."""
    purchase = await _locked(tx, purchase_id)
    if purchase.status is PurchaseStatus.UNDONE and purchase.money_returned_at is None:
        await purchases.set_money_returned(tx, purchase.id)
    return await _reread(tx, purchase_id)


async def return_money(database: Database, checkout: CheckoutPort, purchase: Purchase) -> bool:
    """Send back through the channel what a purchase owes, then note it; False if it owes nothing.

    However often it is done, the channel returns the money once: the purchase's id names the refund.
    """
    yen, checkout_id = purchase.owed_yen, purchase.checkout_id
    if yen == 0 or checkout_id is None:
        return False
    await checkout.refund(checkout_id, yen, purchase.id)
    late = purchase.status is PurchaseStatus.LATE
    await database.transact(late_money_returned if late else undone_money_returned, purchase.id)
    return True


async def undo(tx: Tx, command: Undo) -> Purchase:
    """Undo a whole unused purchase; from this commit on its money is due to the resident.

    `infra.worker` returns it through the channel, for as long as that takes; see `Purchase.owed_yen`.
    """
    found = await purchases.find_by_number(tx, command.number)
    if found is None:
        raise Missing()
    purchase = await _locked(tx, found.id)
    await bring_back(tx, await holdings.read_lots_of_deed(tx, purchase.id))
    lots = await holdings.read_lots_of_deed(tx, purchase.id)
    whole = all(lot.is_whole() and not lot.has_expired(tx.now) for lot in lots)
    if purchase.status is not PurchaseStatus.PAID or not whole:
        raise PurchaseNotUndoable(purchase=purchase.number)
    taken = [Parts(lot.id, lot.programme_id, lot.origin, lot.paid_yen, lot.premium_yen) for lot in lots]
    await holdings.empty_lots(tx, taken)
    await post.reverse(tx, purchase.id, JournalKind.PURCHASE_UNDONE, tx.new_id())
    programme = await campaigns.published_by_id(tx, purchase.programme_id)
    await purchases.uncount_bought(tx, purchase.wallet_id, purchase.programme_id, purchase.price_yen)
    await purchases.set_status(tx, purchase.id, PurchaseStatus.UNDONE)
    await audit.record(tx, command.officer_id, "purchase.undone", purchase.id, reason=command.reason)
    await sell.take_back(tx, programme, purchase.units)
    return await _reread(tx, purchase.id)


def lots_of(tx: Tx, programme: Programme, purchase: Purchase) -> tuple[Lot, ...]:
    """One lot a purse, usable from the first day of use or at once, whichever is later."""
    usable_from = max(tx.now, start_of(programme.terms.use.first))
    return tuple(
        new_lot(
            tx.new_id(),
            purchase.wallet_id,
            programme,
            purse,
            Origin.PURCHASE,
            purchase.id,
            purse.paid_points * purchase.units,
            purse.premium_points * purchase.units,
            tx.now,
            usable_from,
        )
        for purse in programme.terms.purses
    )


async def _take_money(tx: Tx, purchase: Purchase, yen: int) -> None:
    """Points for the right sum in time; any other money is held until it goes back."""
    key = (purchase.programme_id, purchase.programme_version)
    programme = (await campaigns.versions(tx, [key]))[key]
    # Who pays in the minutes around the programme's last midnight would buy what has expired.
    in_time = tx.now < min(purchase.reserved_until, programme.terms.expires_at)
    if in_time and yen == purchase.price_yen:
        await _issue(tx, programme, purchase)
    else:
        await _lapse(tx, purchase)
        await _hold_late_money(tx, purchase, yen)


async def _issue(tx: Tx, programme: Programme, purchase: Purchase) -> None:
    lots = lots_of(tx, programme, purchase)
    await holdings.insert_lots(tx, lots)
    await post.post(tx, [issue_journal(JournalKind.PURCHASE, purchase.id, lots)])
    await purchases.set_status(tx, purchase.id, PurchaseStatus.PAID, received_yen=purchase.price_yen)
    await sell.sell_reserved(tx, programme, purchase.units)


async def _lapse(tx: Tx, purchase: Purchase) -> None:
    programme = await campaigns.published_by_id(tx, purchase.programme_id)
    await purchases.uncount_bought(tx, purchase.wallet_id, purchase.programme_id, purchase.price_yen)
    await purchases.set_status(tx, purchase.id, PurchaseStatus.LAPSED)
    await sell.release(tx, programme, purchase.units)


async def _hold_late_money(tx: Tx, purchase: Purchase, yen: int) -> None:
    postings = (Posting(Account.CASH_RECEIVABLE, yen), Posting(Account.SUSPENSE, -yen))
    await post.post(tx, [entry(purchase.programme_id, JournalKind.LATE_MONEY, purchase.id, postings)])
    await purchases.set_status(tx, purchase.id, PurchaseStatus.LATE, received_yen=yen)
    if yen != purchase.price_yen:
        said = {"expected_yen": purchase.price_yen, "received_yen": yen}
        await audit.record(tx, None, "purchase.amount_wrong", purchase.id, **said)
        log.error("the channel took %d yen for purchase %s of %d yen", yen, purchase.number, purchase.price_yen)


async def _locked(tx: Tx, purchase_id: UUID) -> Purchase:
    """The purchase, read again under its wallet's lock."""
    found = await purchases.find_purchase(tx, purchase_id)
    if found is None:
        raise Missing()
    await _lock(tx, found)
    return await _reread(tx, purchase_id)


async def _lock(tx: Tx, purchase: Purchase) -> tuple[Wallet, Wallet]:
    """The purchase's wallet, and the one in which the person's value lies."""
    line = await access.lock_line(tx, purchase.wallet_id)
    if line is None:
        raise Missing()
    return line


async def _reread(tx: Tx, purchase_id: UUID) -> Purchase:
    found = await purchases.find_purchase(tx, purchase_id)
    if found is None:
        raise Missing()
    return found
