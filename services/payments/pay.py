"""Pay a store: the hot path. At most eight statements, and nothing of the store is locked.

Both ways end in the same deed: lock the wallet, look at the store, choose the lots, take
from them, write the payment, post the journals. The instant of the deed decides about
codes, limits, suspension and expiry alike.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy.exc import IntegrityError

from services.kit.db import Tx, broken_constraint
from services.kit.errors import Missing
from services.ledger import post
from services.merchants.at_till import StoreAtTill, StoreUnknown, must_accept, must_be_staff
from services.payments.pay_code import peek_device, verify
from services.payments.payment import (
    AmountDiffers,
    DeedKind,
    Leg,
    Mode,
    PartPaid,
    PayCodeUsed,
    Payment,
    Receipt,
    TillCode,
    TillCodeExpired,
    TillCodeUnknown,
    TillCodeUsed,
    by_programme,
    leg_journals,
    must_be_amount,
)
from services.payments.tables import reading, writing
from services.wallets import spend
from services.wallets.wallet import Wallet

NUMBER_PREFIX, NUMBER_LENGTH = "P", 10
STAFF = frozenset({"owner", "manager", "clerk"})


@dataclass(frozen=True)
class PayByCode:
    """A clerk has scanned a resident's pay code (a compact JWS) and typed the amount."""

    account_id: UUID
    store_id: UUID
    pay_code: str
    amount_yen: int


@dataclass(frozen=True)
class PayStore:
    """A resident has read a store's code and typed the amount."""

    account_id: UUID
    wallet_id: UUID
    store_code: str
    amount_yen: int


@dataclass(frozen=True)
class PayTill:
    """A resident has read a register's code; an amount, if given, must be the register's."""

    account_id: UUID
    wallet_id: UUID
    till_code: str
    amount_yen: int | None


async def pay_by_code(tx: Tx, command: PayByCode) -> Receipt:
    """Consumer-presented: the code works once, within its 60 seconds, at any store."""
    must_be_amount(command.amount_yen)
    wallet, device = await spend.lock_for_device(tx, peek_device(command.pay_code))
    store = must_be_staff(await reading.store_by_id(tx, command.store_id, command.account_id), STAFF)
    spend.must_be_usable(wallet, device)
    code = verify(command.pay_code, device.public_jwk, tx.now)
    if code.wallet_id != wallet.id:
        raise Missing()
    use_id = uuid5(device.id, str(code.jti))  # a phone's own: nobody burns another phone's code by its jti
    return await _pay(tx, wallet, store, Mode.CPM, command.amount_yen, command.account_id, use_id)


async def pay_store(tx: Tx, command: PayStore) -> Receipt:
    """Merchant-presented with the store's own code."""
    must_be_amount(command.amount_yen)
    wallet = await spend.lock_for_account(tx, command.wallet_id, command.account_id)
    store = await reading.store_by_code(tx, command.store_code)
    if store is None:
        raise StoreUnknown(store=command.store_code)
    return await _pay(tx, wallet, store, Mode.MPM, command.amount_yen, command.account_id, None)


async def pay_till(tx: Tx, command: PayTill) -> Receipt:
    """Merchant-presented with a register's code, which works once and for a few minutes."""
    wallet = await spend.lock_for_account(tx, command.wallet_id, command.account_id)
    found = await reading.store_by_till_code(tx, command.till_code)
    if found is None:
        raise TillCodeUnknown(till_code=command.till_code)
    store, code, used = found
    _must_be_payable(tx, code, used, command.amount_yen)
    return await _pay(tx, wallet, store, Mode.TILL, code.amount_yen, command.account_id, code.id)


def _must_be_payable(tx: Tx, code: TillCode, used: bool, amount_yen: int | None) -> None:
    if used:
        raise TillCodeUsed()
    if tx.now >= code.expires_at:
        raise TillCodeExpired(till_code=code.number)
    if amount_yen is not None and amount_yen != code.amount_yen:
        raise AmountDiffers(expected_yen=code.amount_yen, found_yen=amount_yen)


async def _pay(
    tx: Tx, wallet: Wallet, store: StoreAtTill, mode: Mode, amount_yen: int, acted_by: UUID, code_id: UUID | None
) -> Receipt:
    must_accept(store, wallet.person_id)
    spent = await spend.spend(tx, wallet, amount_yen, store.store_class)
    payment = Payment(
        id=tx.new_id(),
        number=tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH),
        wallet_id=wallet.id,
        store_id=store.id,
        mode=mode,
        amount_yen=amount_yen,
        balance_after_yen=spent.balance_after_yen,
        acted_by=acted_by,
        effective_at=tx.now,
    )
    legs = [
        Leg(
            tx.new_id(),
            payment.id,
            DeedKind.PAYMENT,
            payment.id,
            programme_id,
            store.id,
            sum(part.total_yen for part in parts),
            parts,
        )
        for programme_id, parts in by_programme(spent.parts).items()
    ]
    turns = {part.lot_id: turn for turn, part in enumerate(spent.parts)}
    try:
        await writing.insert_payment(tx, payment, legs, turns, code_id)
    except IntegrityError as error:
        if broken_constraint(error) != "pk_code_use":
            raise
        raise (TillCodeUsed() if mode is Mode.TILL else PayCodeUsed()) from error
    await post.post(tx, leg_journals(legs))
    parts_paid = tuple(PartPaid(part.programme_id, part.lot_id, part.total_yen) for part in spent.parts)
    return receipt_of(payment, store.code, store.name, parts_paid)


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
