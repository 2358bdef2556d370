"""One programme, one store, one resident and one purchase, by the product's own verbs.

Law: what the terms decide (a lot's parts, limits and expiry, a purchase's journal) is written here by the
verbs and copied from here for the masses; the loader never works it out a second time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from infra.database.provision import DatabaseHandle
from infra.phone import SandboxPhone
from infra.scenarios.hiratsuka import SPLIT, terms, with_changes
from services.campaigns.draft import Propose, create
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import ClosingRhythm, Period, Terms
from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import ProvenPhone, sign_in
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.clock import SetClock, start_of
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.kit.store_class import StoreClass
from services.merchants.add_member import AddMember, add_member
from services.merchants.bank_account import bank_account
from services.merchants.onboard import Onboard, onboard
from services.merchants.shops import MemberRole, StoreDetails
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, attach_checkout, hear, reserve
from services.wallets.open import RegisterDevice, open_wallet, register_device

C = TypeVar("C")
R = TypeVar("R")

PROGRAMME = "starlight"
UNITS = 3
"""What everybody buys at a time: 30,000 yen for 39,000 points, 24,000 of them good in every store."""

PAYMENT_LIMIT_YEN, DAY_LIMIT_YEN = 1_000_000, 100_000_000
"""No payment of a benchmark ever meets them."""

OFFICER, APPROVER = UUID(int=0xA1), UUID(int=0xA2)
_PHONE = "070-1234-5678"
_SEED = 0x9A77


@dataclass(frozen=True)
class Pattern:
    """The ids of what the masses are copied from."""

    programme_id: UUID
    merchant_id: UUID
    store_id: UUID
    clerk_account_id: UUID
    wallet_id: UUID
    purchase_id: UUID


def first_day(year: int) -> date:
    """The town's programme is sold and used from here to the end of the year after `year`."""
    return date(year - 1, 1, 1)


def promised(year: int, payers: int, purchases_each: int) -> Terms:
    """Terms under which everybody, and the pattern, may buy so often, and nobody meets a limit."""
    period = Period(first_day(year), date(year + 1, 12, 31))
    units_each = UNITS * purchases_each
    given = terms(
        sale=period,
        use=period,
        stock_units=units_each * (payers + 1),
        purses=SPLIT,
        rhythm=ClosingRhythm.MONTHLY,
    )
    return with_changes(
        given,
        cap_yen=units_each * given.unit_price_yen,
        payment_limit_yen=PAYMENT_LIMIT_YEN,
        day_limit_yen=DAY_LIMIT_YEN,
    )


async def lay(handle: DatabaseHandle, year: int, payers: int, purchases_each: int) -> Pattern:
    """Write the pattern into an empty database, on the programme's first morning."""
    clock = SetClock(start_of(first_day(year)))
    engine = handle.app_engine(pool_size=1)
    database = Database(engine, clock, SeededEntropy(_SEED))

    async def do(hour: int, use_case: Callable[[Tx, C], Awaitable[R]], command: C) -> R:
        clock.set(start_of(first_day(year)) + timedelta(hours=hour))
        return await database.transact(use_case, command)

    try:
        given = promised(year, payers, purchases_each)
        proposed = await do(1, create, Propose(PROGRAMME, given, "a benchmark", OFFICER))
        await do(2, approve, Approve(PROGRAMME, proposed.version, proposed.fingerprint, APPROVER))
        merchant_id, store_id, clerk_id = await do(3, _settle_in, None)
        account_id, wallet_id = await do(4, _move_in, None)
        purchase = await do(5, reserve, Buy(wallet_id, account_id, PROGRAMME, UNITS))
        checkout_id = f"checkout-{purchase.id}"
        await do(5, attach_checkout, AttachCheckout(purchase.id, checkout_id))
        await do(5, hear, CheckoutWord(checkout_id, paid=True, amount_yen=purchase.price_yen))
    finally:
        await engine.dispose()
    return Pattern(proposed.programme_id, merchant_id, store_id, clerk_id, wallet_id, purchase.id)


async def _settle_in(tx: Tx, _: None) -> tuple[UUID, UUID, UUID]:
    details = StoreDetails("星見商店 本店", "HOSHIMI SHOTEN", StoreClass.SMALL, "5411", "2540001", "HOSHIMI")
    account = bank_account("0138", "641", 1, "0000001", "ホシミシヨウテン")
    new = await onboard(tx, Onboard(OFFICER, "星見商店", None, account, details))
    staff = OpenMerchantAccount(OFFICER, "clerk@shop.example", "店員", "no password")
    clerk = await open_merchant_account(tx, staff)
    await add_member(tx, AddMember(OFFICER, True, new.store_id, clerk.account_id, MemberRole.CLERK))
    return new.merchant_id, new.store_id, clerk.account_id


async def _move_in(tx: Tx, _: None) -> tuple[UUID, UUID]:
    asked = await request_code(tx, RequestCode(_PHONE, tx.entropy.take(32)))
    known = await sign_in(tx, ProvenPhone(asked.attempt_id, asked.phone))
    (wallet,) = await open_wallet(tx, known.person_ids[0], known.account_id)
    phone = SandboxPhone(tx.entropy.take(32))
    await register_device(tx, RegisterDevice(wallet.id, known.account_id, "phone", phone.public_jwk()))
    return known.account_id, wallet.id
