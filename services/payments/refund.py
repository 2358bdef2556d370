"""Give a payment back: a cancel whole and on its own day, a refund in part or whole until the limit.

Either returns to exactly the lots that paid, last lot first, under the wallet's lock; the
resident has the points at once, whether the store was settled already or not. Where the wallet that paid was merged
into another, they go on from those lots to the ones in their place, in the same deed.
"""

from dataclasses import dataclass
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns.programme import Programme
from services.campaigns.terms import Terms
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.errors import Missing
from services.ledger import post
from services.merchants.at_till import must_be_staff
from services.payments.agree import STAFF
from services.payments.payment import (
    CancelTooLate,
    DeedKind,
    Leg,
    NothingToCancel,
    Payment,
    RefundTooLate,
    RefundTooMuch,
    Return,
    ReturnReceipt,
    by_programme,
    leg_journals,
    must_be_amount,
    same_day,
)
from services.payments.tables import reading, writing
from services.wallets import spend
from services.wallets.allocation import Outstanding, give_back
from services.wallets.lots import Lot, Parts
from services.wallets.wallet import Wallet

NUMBER_PREFIX, NUMBER_LENGTH = "R", 10


@dataclass(frozen=True)
class Cancel:
    """The store takes a whole payment back on the day that it was made."""

    account_id: UUID
    store_id: UUID
    payment_id: UUID
    reason: str
    register_id: UUID | None = None


@dataclass(frozen=True)
class Refund:
    """The store gives back `amount_yen` of a payment."""

    account_id: UUID
    store_id: UUID
    payment_id: UUID
    amount_yen: int
    reason: str
    register_id: UUID | None = None


@dataclass(frozen=True)
class _Held:
    """A payment under its wallet's lock: what is outstanding, of which lots and programmes.

    `living` is the wallet in which the person's value lies: another one if the payment's own was merged.
    """

    payment: Payment
    wallet: Wallet
    living: Wallet
    outstanding: tuple[Outstanding, ...]
    lots: dict[UUID, Lot]
    programmes: dict[tuple[UUID, int], Programme]

    @property
    def left_yen(self) -> int:
        return sum(each.paid_yen + each.premium_yen for each in self.outstanding)

    def terms_of(self, part: Parts) -> Terms:
        """The terms under which the part's lot was issued."""
        lot = self.lots[part.lot_id]
        return self.programmes[lot.programme_id, lot.programme_version].terms


async def cancel(tx: Tx, command: Cancel) -> ReturnReceipt:
    """Undo a whole payment on its own civil day; it no longer counts against the day's limits."""
    held = await _hold(tx, command.account_id, command.store_id, command.payment_id)
    if not same_day(held.payment, tx.now):
        raise CancelTooLate(payment=held.payment.number)
    if held.left_yen != held.payment.amount_yen:
        raise NothingToCancel(payment=held.payment.number)
    receipt = await _return(tx, held, DeedKind.CANCEL, held.left_yen, command)
    spent: dict[UUID, int] = {}
    for each in held.outstanding:
        spent[each.programme_id] = spent.get(each.programme_id, 0) + each.paid_yen + each.premium_yen
    await spend.uncount(tx, held.wallet, civil_date(held.payment.effective_at), spent)
    return receipt


async def refund(tx: Tx, command: Refund) -> ReturnReceipt:
    """Give back part or all of what is left of a payment, until the programme's limit."""
    must_be_amount(command.amount_yen)
    held = await _hold(tx, command.account_id, command.store_id, command.payment_id)
    if command.amount_yen > held.left_yen:
        raise RefundTooMuch(payment=held.payment.number, left_yen=held.left_yen)
    if any(tx.now >= held.terms_of(part).refunds_until for part in give_back(held.outstanding, command.amount_yen)):
        raise RefundTooLate(payment=held.payment.number)
    return await _return(tx, held, DeedKind.REFUND, command.amount_yen, command)


async def _hold(tx: Tx, account_id: UUID, store_id: UUID, payment_id: UUID) -> _Held:
    store = must_be_staff(await reading.store_by_id(tx, store_id, account_id), STAFF)
    payment = await reading.find_payment(tx, payment_id)
    if payment is None or payment.store_id != store.id:
        raise Missing()
    wallet, living = await spend.lock(tx, payment.wallet_id)
    rows = await reading.outstanding(tx, payment.id)
    lots = await spend.lots_of_parts(tx, [row[1] for row in rows])
    outstanding = tuple(Outstanding(row[0], row[1], row[2], lots[row[1]].origin, row[3], row[4]) for row in rows)
    versions = {(lot.programme_id, lot.programme_version) for lot in lots.values()}
    return _Held(payment, wallet, living, outstanding, lots, await campaigns.versions(tx, versions))


async def _return(tx: Tx, held: _Held, kind: DeedKind, amount_yen: int, command: Cancel | Refund) -> ReturnReceipt:
    payment = held.payment
    parts = give_back(held.outstanding, amount_yen)
    returned = Return(
        tx.new_id(),
        tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH),
        payment.id,
        kind,
        amount_yen,
        command.reason,
        command.account_id,
        tx.now,
        command.register_id,
    )
    legs = [_leg(tx, returned, payment, programme_id, group) for programme_id, group in by_programme(parts).items()]
    turns = {part.lot_id: turn for turn, part in enumerate(parts)}
    await spend.give_back(tx, held.wallet, parts, held.programmes)
    await writing.insert_return(tx, returned, payment.amount_yen, legs, turns)
    await post.post(tx, leg_journals(legs))
    await spend.settle(tx, parts, (held.wallet, held.living))
    left = held.left_yen - amount_yen
    return ReturnReceipt(returned.id, returned.number, payment.number, kind, amount_yen, left, tx.now)


def _leg(tx: Tx, returned: Return, payment: Payment, programme_id: UUID, parts: tuple[Parts, ...]) -> Leg:
    total = sum(part.total_yen for part in parts)
    return Leg(tx.new_id(), returned.id, returned.kind, payment.id, programme_id, payment.store_id, total, parts)
