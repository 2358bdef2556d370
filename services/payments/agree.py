"""What stands against a payment before any points are looked at: the code, the store, the payer, the phone, the sum.

Law: everything that can be revoked is as it was read under the payer's lock. Above a sum that the city sets, nobody
pays by a code that a clerk scans: the payer sees store and sum on their own phone first, and says yes there, because a
code can be shown to somebody who passes it on.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Missing, Refusal
from services.kit.frozen import quick
from services.merchants.at_till import StoreAtTill, StoreUnknown, must_accept, must_be_staff
from services.payments.order import (
    Order,
    PayAtRegister,
    PayByCard,
    PayByCode,
    PayStore,
    PayTill,
)
from services.payments.pay_code import peek_use, verify_registered
from services.payments.payment import (
    AmountDiffers,
    Mode,
    PayCodeUsed,
    TillCode,
    TillCodeExpired,
    TillCodeUnknown,
    TillCodeUsed,
)
from services.payments.tables.reading import Counter, CounterAsked
from services.payments.tap import TapNeeded
from services.payments.velocity import NOTHING_LATELY, Velocity, rush_of
from services.wallets import spend
from services.wallets.wallet import DeviceUnknown, Payer, must_be_active, must_be_within

STAFF = frozenset({"owner", "manager", "clerk"})


@quick
@dataclass(frozen=True)
class Agreed:
    """Everything stands but the points: who pays what, where and how; `code_id` is used up by it.

    `against` is heard by whoever has the points: whoever has not hears that.
    """

    payer: Payer
    store: StoreAtTill
    mode: Mode
    amount_yen: int
    acted_by: UUID
    code_id: UUID | None
    register_id: UUID | None = None
    against: Refusal | None = None


def counter_asked(order: Order, payer: Payer) -> CounterAsked:
    carer_id = None if payer.care is None else payer.care.carer_id
    persons = (payer.wallet.person_id, payer.wallet.id, carer_id)
    match order:
        case PayByCode() | PayAtRegister():
            use_id = peek_use(order.pay_code)
            return CounterAsked(*persons, store_id=order.store_id, account_id=order.account_id, code_id=use_id)
        case PayStore():
            return CounterAsked(*persons, store_code=order.store_code)
        case PayTill():
            return CounterAsked(*persons, till_number=order.till_code)
        case PayByCard():
            return CounterAsked(*persons, store_id=order.store_id, account_id=order.account_id)


def agree(
    tx: Tx, order: Order, payer: Payer, counter: Counter | None, velocity: Velocity, tap_above_yen: int | None
) -> Agreed:
    """What is to be paid. Raises what stands against it, but for the points and what is told after them.

    Without `tap_above_yen` it is the payer's phone that is asked.
    """
    match order:
        case PayByCode() | PayAtRegister():
            agreed = _by_code(tx, order, payer, counter)
        case PayStore():
            must_be_active(payer.wallet)
            if counter is None:
                raise StoreUnknown(store=order.store_code)
            agreed = Agreed(payer, counter.store, Mode.MPM, order.amount_yen, order.account_id, None)
        case PayTill():
            must_be_active(payer.wallet)
            if counter is None or counter.till_code is None:
                raise TillCodeUnknown(till_code=order.till_code)
            code = counter.till_code
            if code.wallet_id not in (None, payer.wallet.id):
                raise TillCodeUnknown(till_code=order.till_code)  # another customer's phone is asked
            _must_be_payable(tx, code, counter.used, order.amount_yen)
            agreed = Agreed(
                payer, counter.store, Mode.TILL, code.amount_yen, order.account_id, code.id, code.register_id
            )
        case PayByCard():
            store = must_be_staff(None if counter is None else counter.store, STAFF)
            must_be_active(payer.wallet)
            agreed = Agreed(payer, store, Mode.CARD, order.amount_yen, order.account_id, None, order.register_id)
    must_accept(agreed.store, payer.wallet.person_id)
    if payer.care is not None:
        must_accept(agreed.store, payer.care.carer_id)
    must_be_within(payer, agreed.amount_yen)
    lately = NOTHING_LATELY if counter is None else counter.lately
    against = rush_of(velocity, lately, agreed.amount_yen, tx.now) or _tap_needed(agreed, tap_above_yen)
    return agreed if against is None else replace(agreed, against=against)


def _tap_needed(agreed: Agreed, above_yen: int | None) -> TapNeeded | None:
    if agreed.mode is not Mode.CPM or above_yen is None or agreed.amount_yen <= above_yen:
        return None
    return TapNeeded(most_yen=above_yen)


def _by_code(tx: Tx, order: PayByCode | PayAtRegister, payer: Payer, counter: Counter | None) -> Agreed:
    store = must_be_staff(None if counter is None else counter.store, STAFF)
    if payer.device is None:
        raise DeviceUnknown()
    spend.must_be_usable(payer.wallet, payer.device)
    verify_registered(order.pay_code, payer.device.public_jwk, tx.now)
    if payer.device.wallet_id != payer.wallet.id:
        raise Missing()
    if counter is None or counter.used:
        raise PayCodeUsed()
    register_id = order.register_id if isinstance(order, PayAtRegister) else None
    return Agreed(payer, store, Mode.CPM, order.amount_yen, order.account_id, peek_use(order.pay_code), register_id)


def _must_be_payable(tx: Tx, code: TillCode, used: bool, amount_yen: int | None) -> None:
    if used:
        raise TillCodeUsed()
    if tx.now >= code.expires_at:
        raise TillCodeExpired(till_code=code.number)
    if amount_yen is not None and amount_yen != code.amount_yen:
        raise AmountDiffers(expected_yen=code.amount_yen, found_yen=amount_yen)
