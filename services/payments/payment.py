"""A payment and what may come back of it; a leg is one programme's part, an allocation one lot's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.kit.clock import civil_date
from services.kit.errors import Kind, Refusal
from services.kit.frozen import quick
from services.kit.money import MAX_AMOUNT_YEN
from services.ledger.chart import Account
from services.ledger.journal import Journal, JournalKind, Posting, entry
from services.wallets.lots import Parts, wallet_postings


class AmountInvalid(Refusal):
    """An amount is a whole number of yen from 1 to `most_yen`."""

    code = "amount_invalid"


class PayCodeUsed(Refusal):
    """The code has paid already; every payment shows a new one."""

    code = "pay_code_used"
    kind = Kind.CONFLICT


class TillCodeUsed(Refusal):
    code = "till_code_used"
    kind = Kind.CONFLICT


class TillCodeExpired(Refusal):
    code = "till_code_expired"
    kind = Kind.CONFLICT


class TillCodeUnknown(Refusal):
    code = "till_code_unknown"
    kind = Kind.MISSING


class AmountDiffers(Refusal):
    """The register's code says another amount than was typed."""

    code = "amount_differs"


class CancelTooLate(Refusal):
    """A payment is cancelled on its own civil day only; afterwards it is refunded."""

    code = "cancel_too_late"
    kind = Kind.CONFLICT


class NothingToCancel(Refusal):
    """Part of the payment went back already; what is left is refunded."""

    code = "nothing_to_cancel"
    kind = Kind.CONFLICT


class RefundTooMuch(Refusal):
    """No more goes back than was paid: `left_yen` is what still may."""

    code = "refund_too_much"
    kind = Kind.CONFLICT


class RefundTooLate(Refusal):
    """The programme's time for refunds is over."""

    code = "refund_too_late"
    kind = Kind.CONFLICT


class Mode(StrEnum):
    CPM = "cpm"
    """The resident shows a code."""
    MPM = "mpm"
    """The store shows its code, the resident types the amount."""
    TILL = "till"
    """The store's register shows a code with the amount in it."""
    CARD = "card"
    """The resident shows a printed card."""


class DeedKind(StrEnum):
    PAYMENT = "payment"
    CANCEL = "cancel"
    REFUND = "refund"


@quick
@dataclass(frozen=True)
class Payment:
    """`balance_after_yen` is the resident's to know, never the store's."""

    id: UUID
    number: str
    wallet_id: UUID
    store_id: UUID
    mode: Mode
    amount_yen: int
    balance_after_yen: int
    acted_by: UUID
    effective_at: datetime
    register_id: UUID | None = None
    """The register at which it was taken, or whose code was paid."""


@quick
@dataclass(frozen=True)
class Leg:
    """One programme's part of a deed; amounts above zero, the kind says which way they go."""

    id: UUID
    deed_id: UUID
    kind: DeedKind
    payment_id: UUID
    programme_id: UUID
    store_id: UUID
    amount_yen: int
    parts: tuple[Parts, ...]


@dataclass(frozen=True)
class Return:
    """A cancel or a refund."""

    id: UUID
    number: str
    payment_id: UUID
    kind: DeedKind
    amount_yen: int
    reason: str
    acted_by: UUID
    effective_at: datetime
    register_id: UUID | None = None


@dataclass(frozen=True)
class TillCode:
    """A register's code with the amount in it.

    `wallet_id` is the one that is asked to pay it, and that alone can; None: whoever reads it. No store learns it.
    """

    id: UUID
    number: str
    store_id: UUID
    amount_yen: int
    made_by: UUID
    expires_at: datetime
    register_id: UUID | None = None
    wallet_id: UUID | None = field(default=None, repr=False)


@quick
@dataclass(frozen=True)
class PartPaid:
    """What one lot paid, for the receipt."""

    programme_id: UUID
    lot_id: UUID
    yen: int


@quick
@dataclass(frozen=True)
class Receipt:
    """What both sides keep of a payment; the store's API leaves out balance and lots."""

    payment_id: UUID
    number: str
    store_code: str
    store_name: str
    mode: Mode
    amount_yen: int
    paid_at: datetime
    balance_after_yen: int
    parts: tuple[PartPaid, ...]


@quick
@dataclass(frozen=True)
class StoreReceipt:
    """What a store keeps, also under the deed's id: the payer's balance and lots are not in it."""

    payment_id: UUID
    number: str
    store_code: str
    store_name: str
    mode: str
    amount_yen: int
    paid_at: datetime


@dataclass(frozen=True)
class ReturnReceipt:
    return_id: UUID
    number: str
    payment_number: str
    kind: DeedKind
    amount_yen: int
    left_yen: int
    returned_at: datetime


def receipt_of(payment: Payment, store_code: str, store_name: str, parts: tuple[PartPaid, ...]) -> Receipt:
    return Receipt(
        payment.id,
        payment.number,
        store_code,
        store_name,
        payment.mode,
        payment.amount_yen,
        payment.effective_at,
        payment.balance_after_yen,
        parts,
    )


def for_the_store(receipt: Receipt) -> StoreReceipt:
    """The receipt without what is the payer's alone."""
    return StoreReceipt(
        receipt.payment_id,
        receipt.number,
        receipt.store_code,
        receipt.store_name,
        receipt.mode.value,
        receipt.amount_yen,
        receipt.paid_at,
    )


def must_be_amount(amount_yen: int) -> None:
    if type(amount_yen) is not int or not 1 <= amount_yen <= MAX_AMOUNT_YEN:
        raise AmountInvalid(most_yen=MAX_AMOUNT_YEN)


def by_programme(parts: Iterable[Parts]) -> dict[UUID, tuple[Parts, ...]]:
    """Parts grouped by programme, each group in the order given."""
    groups: dict[UUID, tuple[Parts, ...]] = {}
    for part in parts:
        groups[part.programme_id] = (*groups.get(part.programme_id, ()), part)
    return groups


def leg_journals(legs: Sequence[Leg]) -> list[Journal]:
    """A journal a leg: a payment moves wallet to store, a cancel or a refund the reverse."""
    return [_leg_journal(leg) for leg in legs]


def _leg_journal(leg: Leg) -> Journal:
    sign = 1 if leg.kind is DeedKind.PAYMENT else -1
    postings = [posting for part in leg.parts for posting in wallet_postings(part, sign)]
    postings.append(Posting(Account.STORE_PAYABLE, -sign * leg.amount_yen, leg.store_id))
    return entry(leg.programme_id, JournalKind(leg.kind.value), leg.deed_id, postings)


def same_day(payment: Payment, now: datetime) -> bool:
    return civil_date(payment.effective_at) == civil_date(now)
