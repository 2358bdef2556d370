"""An order to pay: by whom, where, how much, in one of five ways.

Nothing here is decided from the tables: whose wallet an order wants to pay from, and what two orders
that are posted together may not share.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit.errors import Refusal
from services.kit.frozen import quick
from services.payments.pay_code import peek_device, peek_wallet
from services.payments.payment import Receipt, StoreReceipt, for_the_store, must_be_amount
from services.wallets.wallet import PayerAsked


@quick
@dataclass(frozen=True)
class PayByCode:
    """A clerk has scanned a resident's pay code (a compact JWS) and typed the amount."""

    account_id: UUID
    store_id: UUID
    pay_code: str
    amount_yen: int


@quick
@dataclass(frozen=True)
class PayAtRegister:
    """As `PayByCode`, by a clerk who has signed in at one of the store's registers."""

    account_id: UUID
    store_id: UUID
    pay_code: str
    amount_yen: int
    register_id: UUID


@quick
@dataclass(frozen=True)
class PayStore:
    """A resident has read a store's code and typed the amount."""

    account_id: UUID
    wallet_id: UUID
    store_code: str
    amount_yen: int


@quick
@dataclass(frozen=True)
class PayTill:
    """A resident has read a register's code; an amount, if given, must be the register's."""

    account_id: UUID
    wallet_id: UUID
    till_code: str
    amount_yen: int | None


@quick
@dataclass(frozen=True)
class PayByCard:
    """A clerk has scanned a printed card and typed the amount; whoever asks for the deed has judged the card."""

    account_id: UUID
    store_id: UUID
    card_number: str
    wallet_id: UUID
    amount_yen: int
    register_id: UUID | None = None


Order = PayByCode | PayAtRegister | PayStore | PayTill | PayByCard


_BY_STAFF = (PayByCode, PayAtRegister, PayByCard)


def payer_asked(order: Order) -> PayerAsked:
    """Whose wallet is to be locked. Raises what is wrong with the order's form."""
    match order:
        case PayByCode() | PayAtRegister():
            must_be_amount(order.amount_yen)
            return PayerAsked(peek_wallet(order.pay_code), device_id=peek_device(order.pay_code))
        case PayStore():
            must_be_amount(order.amount_yen)
            return PayerAsked(order.wallet_id, account_id=order.account_id)
        case PayTill():
            return PayerAsked(order.wallet_id, account_id=order.account_id)
        case PayByCard():
            must_be_amount(order.amount_yen)
            return PayerAsked(order.wallet_id, by_card=True)


def keys_of(order: Order) -> tuple[UUID | str, ...]:
    """What two payments of one batch may not share: a wallet, and a register's code."""
    match order:
        case PayByCode() | PayAtRegister():
            return (_wallet_of_code(order.pay_code),)
        case PayStore() | PayByCard():
            return (order.wallet_id,)
        case PayTill():
            return (order.wallet_id, order.till_code)


def _wallet_of_code(pay_code: str) -> UUID | str:
    try:
        return peek_wallet(pay_code)
    except Refusal:
        return pay_code  # it will be refused, and stands in nobody's way


def answer_of(order: Order, receipt: Receipt) -> Receipt | StoreReceipt:
    """What is stored and answered: by code or card the store's receipt, which holds nothing of who paid."""
    return for_the_store(receipt) if isinstance(order, _BY_STAFF) else receipt


def answer_type_of(order: Order) -> type[Receipt | StoreReceipt]:
    return StoreReceipt if isinstance(order, _BY_STAFF) else Receipt
