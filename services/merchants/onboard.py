"""Register a merchant, with the account that is paid and its first store."""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.japan import invoice_registration
from services.merchants.add_store import AddStore, add_store
from services.merchants.bank_account import BankAccount
from services.merchants.set_payout_account import SetPayoutAccount, set_payout_account
from services.merchants.shops import (
    MERCHANT_NUMBER_LENGTH,
    MERCHANT_PREFIX,
    Merchant,
    Status,
    StoreDetails,
    merchant_name,
)
from services.merchants.tables import businesses


@dataclass(frozen=True)
class Onboard:
    """An officer's registration of a vetted merchant.

    `invoice_number` (適格請求書発行事業者登録番号, T and 13 digits) is None for a merchant that is
    not registered; `payout_account` comes from `bank_account` or `yucho_account`.
    """

    actor_id: UUID
    name: str
    invoice_number: str | None
    payout_account: BankAccount
    store: StoreDetails


@dataclass(frozen=True)
class Onboarded:
    """`number` and `store_code` are the merchant's and the store's short numbers."""

    merchant_id: UUID
    number: str
    store_id: UUID
    store_code: str


async def onboard(tx: Tx, command: Onboard) -> Onboarded:
    """Register the merchant, active at once; all of it or nothing.

    Raises `MerchantNameInvalid`, `InvalidInvoiceRegistration`, and what `add_store` raises.
    """
    merchant = Merchant(
        id=tx.new_id(),
        number=tx.new_number(MERCHANT_PREFIX, MERCHANT_NUMBER_LENGTH),
        name=merchant_name(command.name),
        invoice_number=None if command.invoice_number is None else invoice_registration(command.invoice_number),
        status=Status.ACTIVE,
        registered_at=tx.now,
    )
    await businesses.insert_merchant(tx, merchant)
    await audit.record(tx, command.actor_id, "merchant.onboarded", merchant.id, number=merchant.number)
    await set_payout_account(tx, SetPayoutAccount(command.actor_id, merchant.id, command.payout_account))
    store = await add_store(tx, AddStore(command.actor_id, merchant.id, command.store))
    return Onboarded(merchant.id, merchant.number, store.id, store.code)
