"""The world that most tests live in: one programme, a few residents and stores, a clock that stands still.

Built through the product's own verbs, so that a town is always a lawful one.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from infra.scenarios.hiratsuka import SPLIT, terms
from services.campaigns.draft import Propose, create, propose
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import ClosingRhythm, Period, Terms
from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import ProvenPhone, sign_in
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.clock import TOKYO, SetClock
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.kit.store_class import StoreClass
from services.merchants.add_member import AddMember, add_member
from services.merchants.add_store import AddStore, add_store
from services.merchants.bank_account import bank_account
from services.merchants.onboard import Onboard, onboard
from services.merchants.shops import MemberRole, StoreDetails
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.payments.payment import Receipt, ReturnReceipt
from services.payments.refund import Cancel, Refund, cancel, refund
from services.proof.proof import Proof
from services.proof.prove import prove
from services.wallets import read as wallets
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, attach_checkout, hear, reserve
from services.wallets.expire import expire_due
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from services.wallets.open import RegisterDevice, open_wallet, register_device
from services.wallets.purchase import Purchase
from services.wallets.wallet import Device, Wallet

C = TypeVar("C")
R = TypeVar("R")

NOON = datetime(2026, 4, 6, 12, tzinfo=TOKYO)
"""A Monday in the programme's second week."""

OFFICER, APPROVER = (UUID(int=n) for n in (0xA1, 0xA2))
CODE = "starlight"


def town_terms(**changes: Any) -> Terms:
    given: dict[str, Any] = {
        "sale": Period(date(2026, 4, 1), date(2026, 5, 31)),
        "use": Period(date(2026, 4, 1), date(2026, 9, 30)),
        "stock_units": 1_000,
        "purses": SPLIT,
        "rhythm": ClosingRhythm.TWICE_MONTHLY,
    }
    return terms(**(given | changes))


@dataclass(frozen=True)
class Resident:
    account_id: UUID
    person_id: UUID
    wallet: Wallet
    phone: SandboxPhone
    device: Device


@dataclass(frozen=True)
class Shop:
    """A store with its clerk."""

    id: UUID
    code: str
    merchant_id: UUID
    clerk_id: UUID


class Town:
    """Verbs of a town in short words; each is one committed deed at the clock's instant."""

    def __init__(self, engine: AsyncEngine, *, at: datetime = NOON, seed: int = 1) -> None:
        self.clock = SetClock(at)
        self.entropy = SeededEntropy(seed)
        self.database = Database(engine, self.clock, self.entropy)
        self._residents = 0

    async def do(self, use_case: Callable[[Tx, C], Awaitable[R]], command: C) -> R:
        return await self.database.transact(use_case, command)

    async def programme(self, given: Terms | None = None, *, code: str = CODE) -> UUID:
        proposed = await self.do(create, Propose(code, given or town_terms(), "a new programme", OFFICER))
        await self.do(approve, Approve(code, proposed.version, proposed.fingerprint, APPROVER))
        return proposed.programme_id

    async def correct(self, given: Terms, *, code: str = CODE) -> None:
        proposed = await self.do(propose, Propose(code, given, "a correction", OFFICER))
        await self.do(approve, Approve(code, proposed.version, proposed.fingerprint, APPROVER))

    async def resident(self, phone_number: str | None = None) -> Resident:
        """Somebody new, with a number of their own unless one is given."""
        self._residents += 1
        number = phone_number or f"090-{self._residents // 10_000 + 1000:04}-{self._residents % 10_000:04}"

        async def move_in(tx: Tx, _: None) -> tuple[UUID, UUID, list[Wallet]]:
            asked = await request_code(tx, RequestCode(number, b"k" * 32))
            known = await sign_in(tx, ProvenPhone(asked.attempt_id, asked.phone))
            person_id = known.person_ids[0]
            return known.account_id, person_id, await open_wallet(tx, person_id, known.account_id)

        account_id, person_id, (wallet,) = await self.do(move_in, None)
        phone = SandboxPhone(self.entropy.take(32))
        command = RegisterDevice(wallet.id, account_id, "phone", phone.public_jwk())
        device = await self.do(register_device, command)
        return Resident(account_id, person_id, wallet, phone, device)

    async def shop(self, store_class: str = "small", *, merchant_id: UUID | None = None) -> Shop:
        """A store with a clerk; of a merchant of its own unless one is given."""
        details = StoreDetails("星見商店 本店", "HOSHIMI SHOTEN", StoreClass(store_class), "5411", "2540001", "HOSHIMI")

        async def settle_in(tx: Tx, _: None) -> Shop:
            if merchant_id is None:
                number = f"{tx.new_id().int % 10**7:07}"
                account = bank_account("0138", "641", 1, number, "ホシミシヨウテン")
                new = await onboard(tx, Onboard(OFFICER, "星見商店", None, account, details))
                store_id, code, owner = new.store_id, new.store_code, new.merchant_id
            else:
                store = await add_store(tx, AddStore(OFFICER, merchant_id, details))
                store_id, code, owner = store.id, store.code, merchant_id
            email = f"clerk-{store_id.hex}@shop.example"
            clerk = await open_merchant_account(tx, OpenMerchantAccount(OFFICER, email, "店員", "no password"))
            await add_member(tx, AddMember(OFFICER, True, store_id, clerk.account_id, MemberRole.CLERK))
            return Shop(store_id, code, owner, clerk.account_id)

        return await self.do(settle_in, None)

    async def buy(self, who: Resident, units: int = 1, *, code: str = CODE) -> Purchase:
        purchase = await self.do(reserve, Buy(who.wallet.id, who.account_id, code, units))
        checkout_id = f"checkout-{purchase.id}"
        await self.do(attach_checkout, AttachCheckout(purchase.id, checkout_id))
        return await self.do(hear, CheckoutWord(checkout_id, paid=True, amount_yen=purchase.price_yen))

    async def grant(self, who: Resident, points: int, *, purse: str = "common", code: str = CODE) -> None:
        lines = (GrantLine(2, who.wallet.number, points),)
        await self.do(grant, Grant(code, purse, "a gift", OFFICER, lines))

    def code_of(self, who: Resident) -> str:
        jti = UUID(bytes=self.entropy.take(16), version=4)
        return who.phone.pay_code(who.wallet.id, who.device.id, self.clock.now(), jti)

    async def pay(self, who: Resident, shop: Shop, yen: int) -> Receipt:
        """The resident shows a code."""
        return await self.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, self.code_of(who), yen))

    async def pay_store(self, who: Resident, shop: Shop, yen: int) -> Receipt:
        """The store shows its code."""
        return await self.do(pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen))

    async def cancel(self, shop: Shop, receipt: Receipt) -> ReturnReceipt:
        return await self.do(cancel, Cancel(shop.clerk_id, shop.id, receipt.payment_id, "mistyped"))

    async def refund(self, shop: Shop, receipt: Receipt, yen: int) -> ReturnReceipt:
        return await self.do(refund, Refund(shop.clerk_id, shop.id, receipt.payment_id, yen, "brought back"))

    async def expire(self) -> None:
        while (await self.do(expire_due, 1_000)).wallets:
            pass

    async def balance(self, who: Resident) -> wallets.Balance:
        return await self.do(wallets.balance, who.wallet)

    async def points(self, who: Resident) -> int:
        return (await self.balance(who)).total_points

    async def proof(self) -> Proof:
        async with self.database.begin() as tx:
            return await prove(tx)

    async def must_prove(self) -> None:
        """Every test that moved money ends here."""
        proof = await self.proof()
        broken = [check for check in proof.checks if not check.ok]
        assert proof.clean, json.dumps([vars(check) for check in broken], default=str)

    def wait(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))

    def go_to(self, instant: datetime) -> None:
        self.clock.set(instant)
