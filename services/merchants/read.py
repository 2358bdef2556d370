"""Read merchants, stores, members and payout accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.numbers import parse_number
from services.merchants.at_till import StoreUnknown
from services.merchants.payout_account import PayoutAccount
from services.merchants.shops import STORE_PREFIX, Member, MemberRole, Merchant, Store, StoreDetails, StoreOfMember
from services.merchants.tables import businesses
from services.merchants.tables import stores as rows

MAX_MERCHANTS = 501
"""A page of 500, and whether there is more."""


@dataclass(frozen=True)
class PublicStore:
    """What everybody may know of a store."""

    code: str
    details: StoreDetails
    accepting: bool


@dataclass(frozen=True)
class MerchantRecord:
    """What an officer sees of one merchant; the account is None only if it was never set."""

    merchant: Merchant
    stores: tuple[Store, ...]
    payout_account: PayoutAccount | None


async def public_store(tx: Tx, code: str) -> PublicStore:
    """The store with this code, as a person typed it.

    Raises `StoreUnknown`, and the refusals of `parse_number` for a code that no store has.
    """
    number = parse_number(code, prefix=STORE_PREFIX)
    found = await rows.find_store_by_code(tx, number)
    if found is None:
        raise StoreUnknown(store=number)
    store, accepting = found
    return PublicStore(store.code, store.details, accepting)


async def store(tx: Tx, store_id: UUID) -> Store:
    """Raises `Missing`."""
    found = await rows.find_stores(tx, [store_id])
    if not found:
        raise Missing
    return found[0]


async def stores(tx: Tx, store_ids: Collection[UUID]) -> dict[UUID, Store]:
    """Those of the stores that exist, by id, in one statement."""
    return {found.id: found for found in await rows.find_stores(tx, store_ids)}


async def stores_of_account(tx: Tx, account_id: UUID) -> tuple[StoreOfMember, ...]:
    """The stores that an account works for now, with its role in each."""
    return tuple(await rows.find_stores_of_account(tx, account_id))


async def owns_a_store(tx: Tx, account_id: UUID) -> bool:
    """Whether an account is an owner of a store, working or suspended."""
    return any(found.role is MemberRole.OWNER for found in await rows.find_stores_of_account(tx, account_id))


async def members(tx: Tx, store_id: UUID) -> tuple[Member, ...]:
    """Everybody who works or worked for a store; names are `identity.read.accounts`'s to tell."""
    return tuple(await rows.find_members(tx, store_id))


async def person_of_member(tx: Tx, account_id: UUID) -> UUID | None:
    """Which resident the account's holder is known to be, held until this transaction ends; None if nobody knows."""
    return await rows.lock_person_of_account(tx, account_id)


async def persons_working_for(tx: Tx, merchant_id: UUID) -> set[UUID]:
    """Residents known to work in one of a merchant's stores now."""
    return await rows.find_persons_of_merchant(tx, merchant_id)


async def owners_of(tx: Tx, merchant_id: UUID) -> tuple[UUID, ...]:
    """The accounts of those who own one of a merchant's stores now."""
    return tuple(await rows.find_owners_of_merchant(tx, merchant_id))


async def roles_in(tx: Tx, store_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, MemberRole]:
    """The roles that accounts have in a store now; who works there no more is left out."""
    return await rows.active_roles(tx, store_id, account_ids)


async def merchants(tx: Tx, *, after: UUID | None = None, limit: int = 100) -> tuple[Merchant, ...]:
    """Merchants in the order of registration, at most 501, from the one after `after`."""
    return tuple(await businesses.list_merchants(tx, after, min(limit, MAX_MERCHANTS)))


async def merchant(tx: Tx, merchant_id: UUID) -> MerchantRecord:
    """Raises `Missing`."""
    found = await businesses.find_merchant(tx, merchant_id)
    if found is None:
        raise Missing
    accounts = await payout_accounts(tx, [merchant_id], tx.now)
    its_stores = await rows.find_stores_of_merchant(tx, merchant_id)
    return MerchantRecord(found, tuple(its_stores), accounts.get(merchant_id))


async def payout_accounts(tx: Tx, merchant_ids: Collection[UUID], at: datetime) -> dict[UUID, PayoutAccount]:
    """Where each merchant's money goes as of `at`, inclusive, in one statement; by merchant."""
    return {found.merchant_id: found for found in await businesses.find_payout_accounts(tx, merchant_ids, at)}
