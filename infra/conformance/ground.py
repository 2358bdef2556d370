"""The ground on which an invariant is tried: a new database, a few people, and the product's own verbs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import Limits
from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import COMMON_ONLY, terms
from services.campaigns.draft import Propose, create
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import Period
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.ids import SecretEntropy
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.payments.payment import Receipt
from services.payments.refund import Cancel, Refund, cancel, refund
from services.proof.prove import audit
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, attach_checkout, hear, reserve
from services.wallets.expire import expire_due
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from services.wallets.open import open_wallet
from services.wallets.purchase import Purchase
from services.wallets.wallet import Wallet

C = TypeVar("C")
R = TypeVar("R")

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)
OFFICER, APPROVER = UUID(int=0xA1), UUID(int=0xA2)
CODE = "starlight"
POOL = 16
"""Deeds at once; `crowd` runs no more of them, so that none waits for a connection in vain."""

PATIENT = Limits(statement_ms=30_000, lock_ms=20_000, idle_in_transaction_ms=60_000)


class Tripped(Exception):
    """An invariant does not hold; the message says what was seen."""


def must(holds: bool, seen: str) -> None:
    """Raise Tripped unless what an invariant promises is so."""
    if not holds:
        raise Tripped(seen)


@dataclass(frozen=True)
class Resident:
    account_id: UUID
    wallet: Wallet


@dataclass(frozen=True)
class Shop:
    id: UUID
    code: str
    clerk_id: UUID


@dataclass(frozen=True)
class Ground:
    """A migrated database nobody else uses, through the application's rights and through its owner's."""

    handle: DatabaseHandle
    engine: AsyncEngine
    owner: AsyncEngine
    clock: SetClock
    database: Database

    async def do(self, use_case: Callable[[Tx, C], Awaitable[R]], command: C) -> R:
        return await self.database.transact(use_case, command)

    async def ask(self, question: str, **values: object) -> list[tuple[Any, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(question), values)]

    async def one(self, question: str, **values: object) -> int:
        return int((await self.ask(question, **values))[0][0])

    async def refuses(self, statement: str, *, as_owner: bool = False, **values: object) -> bool:
        """Whether the database refuses a statement; one that it takes stays done."""
        try:
            async with (self.owner if as_owner else self.engine).begin() as connection:
                await connection.execute(text(statement), values)
        except DBAPIError:
            return True
        return False

    async def law(self, *names: str) -> list[str]:
        """Those of the auditor's laws that are broken; all of them looked at something."""
        async with self.database.begin() as tx:
            checks = [check for check in (await audit(tx)).checks if check.name in names]
        must(len(checks) == len(names) and all(check.expected for check in checks), "the auditor saw nothing")
        return [check.name for check in checks if not check.ok]

    async def programme(self, code: str = CODE) -> UUID:
        given = terms(
            sale=Period(date(2026, 4, 1), date(2026, 5, 31)),
            use=Period(date(2026, 4, 1), date(2026, 9, 30)),
            stock_units=1_000,
            purses=COMMON_ONLY,
        )
        proposed = await self.do(create, Propose(code, given, "decided", OFFICER))
        await self.do(approve, Approve(code, proposed.version, proposed.fingerprint, APPROVER))
        return proposed.programme_id

    async def resident(self) -> Resident:
        async def move_in(tx: Tx, _: None) -> Resident:
            account_id, person_id = tx.new_id(), tx.new_id()
            phone = f"+8190{account_id.int % 10**8:08}"
            for statement in MOVE_IN:
                values = {"account": account_id, "person": person_id, "phone": phone, "now": tx.now}
                await tx.connection.execute(text(statement), values)
            (wallet,) = await open_wallet(tx, person_id, account_id)
            return Resident(account_id, wallet)

        return await self.do(move_in, None)

    async def shop(self) -> Shop:
        async def settle_in(tx: Tx, _: None) -> Shop:
            shop = Shop(tx.new_id(), tx.new_number("S", 7), tx.new_id())
            values = {"store": shop.id, "code": shop.code, "clerk": shop.clerk_id, "merchant": tx.new_id()}
            for statement in SETTLE_IN:
                await tx.connection.execute(text(statement), values | {"now": tx.now})
            return shop

        return await self.do(settle_in, None)

    async def reserve(self, who: Resident, *, code: str = CODE) -> Purchase:
        return await self.do(reserve, Buy(who.wallet.id, who.account_id, code, 1))

    async def buy(self, who: Resident, *, code: str = CODE) -> Purchase:
        """13,000 points for 10,000 yen."""
        purchase = await self.reserve(who, code=code)
        checkout_id = f"checkout-{purchase.id}"
        await self.do(attach_checkout, AttachCheckout(purchase.id, checkout_id))
        return await self.do(hear, CheckoutWord(checkout_id, paid=True, amount_yen=purchase.price_yen))

    async def grant(self, who: Resident, points: int, *, code: str = CODE) -> None:
        lines = (GrantLine(2, who.wallet.number, points),)
        await self.do(grant, Grant(code, "common", "a gift", OFFICER, lines))

    async def pay(self, who: Resident, shop: Shop, yen: int) -> Receipt:
        return await self.do(pay_store, payment(who, shop, yen))

    async def cancel(self, shop: Shop, receipt: Receipt) -> None:
        await self.do(cancel, Cancel(shop.clerk_id, shop.id, receipt.payment_id, "mistyped"))

    async def refund(self, shop: Shop, receipt: Receipt, yen: int) -> None:
        await self.do(refund, Refund(shop.clerk_id, shop.id, receipt.payment_id, yen, "brought back"))

    async def expire(self) -> None:
        while (await self.do(expire_due, 1_000)).wallets:
            pass

    async def in_lots(self) -> int:
        """Yen in all lots of all wallets."""
        return await self.one("SELECT coalesce(sum(paid_yen + premium_yen), 0) FROM lot")

    async def owed_to(self, shop: Shop) -> int:
        """Yen that the books owe to a store."""
        return await self.one(OWED, store=shop.id)


def payment(who: Resident, shop: Shop, yen: int) -> PayStore:
    return PayStore(who.account_id, who.wallet.id, shop.code, yen)


async def crowd(deeds: Sequence[Callable[[], Awaitable[R]]], at_once: int = POOL) -> list[R | BaseException]:
    """Run deeds concurrently, `at_once` of them at any moment; what each answered or raised."""
    gate = asyncio.Semaphore(at_once)

    async def one(deed: Callable[[], Awaitable[R]]) -> R:
        async with gate:
            return await deed()

    return await asyncio.gather(*(one(deed) for deed in deeds), return_exceptions=True)


@asynccontextmanager
async def stand_on(handle: DatabaseHandle) -> AsyncIterator[Ground]:
    """Ground on a migrated database."""
    clock = SetClock(NOON)
    engine = handle.app_engine(pool_size=POOL, limits=PATIENT)
    owner = handle.migrator_engine(pool_size=2, limits=PATIENT)
    try:
        yield Ground(handle, engine, owner, clock, Database(engine, clock, SecretEntropy()))
    finally:
        await engine.dispose()
        await owner.dispose()


OWED = """
SELECT coalesce(-sum(amount_yen), 0) FROM ledger_posting WHERE account = 'store_payable' AND owner_id = :store
"""
MOVE_IN = (
    "INSERT INTO person (id, registered_at) VALUES (:person, :now)",
    "INSERT INTO account (id, kind, phone, status, registered_at) "
    "VALUES (:account, 'resident', :phone, 'active', :now)",
    "INSERT INTO account_acts_for (account_id, person_id, relation) VALUES (:account, :person, 'self')",
)
SETTLE_IN = (
    "INSERT INTO merchant (id, number, name, status, registered_at) VALUES (:merchant, :code, 'm', 'active', :now)",
    "INSERT INTO store (id, code, merchant_id, name, name_latin, store_class, mcc, postal_code, city_latin, status, "
    "registered_at) VALUES (:store, :code, :merchant, 's', 's', 'small', '5411', '2540000', 'CITY', 'active', :now)",
    "INSERT INTO account (id, kind, email, status, registered_at) VALUES (:clerk, 'merchant', :code, 'active', :now)",
    "INSERT INTO store_member (store_id, account_id, role, status, since) "
    "VALUES (:store, :clerk, 'clerk', 'active', :now)",
)
