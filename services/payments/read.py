"""Read payments: receipts for the resident, the day's list and sums for the store, codes as scanned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.kit.clock import end_of, start_of
from services.kit.db import Tx
from services.kit.errors import Missing
from services.ledger.journal import JournalKind, Movement
from services.merchants.at_till import StoreAtTill, StoreUnknown, must_be_staff
from services.payments.agree import STAFF
from services.payments.payment import (
    DeedKind,
    PartPaid,
    Payment,
    Receipt,
    Return,
    TillCode,
    TillCodeUnknown,
    receipt_of,
)
from services.payments.tables import by_store, reading, till_codes
from services.wallets.read import belongs
from services.wallets.wallet import Wallet

JUST_NOW = timedelta(seconds=1)
MAX_LISTED = 501
"""A page of 500, and whether there is more."""


@dataclass(frozen=True)
class StorePayment:
    """A payment as its store sees it: sums, never who paid."""

    payment: Payment
    returned_yen: int
    returns: tuple[Return, ...]


@dataclass(frozen=True)
class DayTotals:
    """A store's civil day in yen and deeds."""

    day: date
    payments: int
    paid_yen: int
    cancels: int
    cancelled_yen: int
    refunds: int
    refunded_yen: int


async def receipt_for(tx: Tx, wallet: Wallet, payment_id: UUID) -> tuple[Receipt, tuple[Return, ...]]:
    """A resident's receipt, with what has come back of it."""
    payment = await reading.find_payment(tx, payment_id)
    if payment is None or not await belongs(tx, wallet, payment.wallet_id):
        raise Missing()
    store = await reading.store_named(tx, payment.store_id)
    if store is None:
        raise Missing()
    parts = tuple(PartPaid(*row) for row in await reading.parts_of_payment(tx, payment.id))
    returns = await reading.find_returns(tx, payment_ids=[payment.id])
    return receipt_of(payment, store.code, store.name, parts), tuple(returns)


async def stores_of_movements(tx: Tx, movements: Sequence[Movement]) -> dict[UUID, Payment]:
    """For a wallet's history: the payment that each paying, cancelling or refunding deed is about."""
    paid = {each.deed_id for each in movements if each.kind is JournalKind.PAYMENT}
    back = {each.deed_id for each in movements if each.kind in {JournalKind.CANCEL, JournalKind.REFUND}}
    returns = await reading.find_returns(tx, return_ids=back) if back else []
    payments = await reading.find_payments(tx, paid | {each.payment_id for each in returns})
    found = {key: payments[key] for key in paid if key in payments}
    return found | {each.id: payments[each.payment_id] for each in returns}


async def payments_of_day(
    tx: Tx, store_id: UUID, account_id: UUID, day: date, *, after: UUID | None = None, limit: int = MAX_LISTED
) -> list[StorePayment]:
    """A store's payments of one civil day, newest first, from the one after `after`, at most 501."""
    await store_for(tx, store_id, account_id)
    most = min(limit, MAX_LISTED)
    rows = await by_store.payments_of_store(tx, store_id, start_of(day), end_of(day), after, most)
    return [StorePayment(payment, returned_yen, ()) for payment, returned_yen in rows]


async def payment_of_store(tx: Tx, store_id: UUID, account_id: UUID, payment_id: UUID) -> StorePayment:
    await store_for(tx, store_id, account_id)
    payment = await reading.find_payment(tx, payment_id)
    if payment is None or payment.store_id != store_id:
        raise Missing()
    returns = await reading.find_returns(tx, payment_ids=[payment.id])
    return StorePayment(payment, sum(each.amount_yen for each in returns), tuple(returns))


async def day_totals(tx: Tx, store_id: UUID, account_id: UUID, day: date) -> DayTotals:
    await store_for(tx, store_id, account_id)
    sums = await by_store.sum_store(tx, store_id, start_of(day), end_of(day))
    none = (0, 0)
    return DayTotals(
        day, *sums.get(DeedKind.PAYMENT, none), *sums.get(DeedKind.CANCEL, none), *sums.get(DeedKind.REFUND, none)
    )


async def store_for(tx: Tx, store_id: UUID, account_id: UUID) -> StoreAtTill:
    """The store, if the account works there; Missing otherwise."""
    return must_be_staff(await reading.store_by_id(tx, store_id, account_id), STAFF)


async def store_by_code(tx: Tx, code: str) -> StoreAtTill:
    store = await reading.store_by_code(tx, code)
    if store is None:
        raise StoreUnknown(store=code)
    return store


async def till_code_by_number(tx: Tx, number: str) -> tuple[StoreAtTill, TillCode, bool]:
    """A register's code as a resident scans it: the store, the code, whether it has paid already."""
    found = await till_codes.store_by_till_code(tx, number)
    if found is None:
        raise TillCodeUnknown(till_code=number)
    return found


async def asked_of(tx: Tx, wallet: Wallet) -> list[tuple[StoreAtTill, TillCode]]:
    """What registers ask of this wallet's phones and nobody has paid yet, newest first."""
    asked = await till_codes.till_codes_asked_of(tx, wallet.id)
    return [(store, code) for code in asked if (store := await reading.store_named(tx, code.store_id)) is not None]


async def till_code_of(
    tx: Tx, store_id: UUID, account_id: UUID, till_code_id: UUID
) -> tuple[TillCode, StorePayment | None]:
    """A register's code as its store asks: has it been paid?"""
    await store_for(tx, store_id, account_id)
    found = await till_codes.find_till_code(tx, store_id, till_code_id)
    if found is None:
        raise Missing()
    code, payment_id = found
    return code, None if payment_id is None else await payment_of_store(tx, store_id, account_id, payment_id)


async def somebody_pays(tx: Tx) -> bool:
    """Whether a payment was made within the last second; one statement."""
    return await reading.is_paid_since(tx, tx.now - JUST_NOW)
