"""Two equal towns to pay in: one takes a list of orders at once, the other one after the other.

The town holds what payments differ by: wallets with several lots, purses, programmes and versions of
terms, lots not usable yet and lots that expire within the days that an example may choose; a suspended
wallet, store and phone, a resident who works for a store, limits of a payment and of a day, register's
codes of two stores. Everything is made by the product's own verbs, equal in both by one seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.hiratsuka import COMMON_ONLY, SPLIT
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.deeds import Deed, fingerprint
from services.merchants.add_member import AddMember, add_member
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import MemberRole, Status
from services.payments.order import Order, PayByCode, PayStore, PayTill
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.open import BlockDevice, SetWalletStatus, block_device, set_wallet_status
from tests.town import NOON, OFFICER, Resident, Shop, Town, town_terms

INSTANTS = (NOON, datetime(2026, 4, 15, 23, 59, 59, 999_999, TOKYO), datetime(2026, 4, 16, tzinfo=TOKYO))
"""A quiet noon, the last instant of one programme's points, and the midnight after it."""

POOR, SUSPENDED, CLERK, EARLY, NOBODY = 3, 4, 5, 6, 7
"""Residents by their place: one with little that soon expires, one suspended, one who works for a
store, one whose points are not usable yet.

The last does not exist."""

TILL_YEN = (700, 700, 8_500, 50_000)
UNKNOWN = UUID(int=0xDEAD)


@dataclass(frozen=True)
class Asked:
    """One order as an example draws it; everything is a place in the town, or a figure."""

    who: int
    way: str
    store: int
    yen: int | str
    fault: str
    number: int
    """Which of a few pay codes or register's codes: the same number is the same code again."""
    key: int


@dataclass
class World:
    town: Town
    people: list[Resident]
    shops: list[Shop]
    tills: list[str]

    async def orders(self, asked: Sequence[Asked]) -> list[tuple[Deed, Order]]:
        held = [await self.town.points(who) for who in self.people]
        return [self._order(each, held) for each in asked]

    def _order(self, asked: Asked, held: Sequence[int]) -> tuple[Deed, Order]:
        points = held[asked.who] if asked.who < NOBODY else 0
        words = {"everything": points, "a yen more": points + 1}
        yen = asked.yen if isinstance(asked.yen, int) else words[asked.yen]
        order = getattr(self, f"_by_{asked.way}")(asked, yen)
        return Deed(order.account_id, UUID(int=asked.key), fingerprint("pay", order)), order

    def _by_code(self, asked: Asked, yen: int) -> PayByCode:
        shop = self.shops[asked.store % len(self.shops)]
        clerk = self.shops[(asked.store + 1) % len(self.shops)] if asked.fault == "another's" else shop
        return PayByCode(clerk.clerk_id, shop.id, self._code(asked), yen)

    def _code(self, asked: Asked) -> str:
        who, other = self._who(asked), self.people[(asked.who + 1) % NOBODY]
        wallet_id = UNKNOWN if asked.who == NOBODY else who.wallet.id
        now, jti = self.town.clock.now(), uuid5(who.wallet.id, str(asked.number % 3))
        jti = UUID(bytes=jti.bytes, version=4)
        match asked.fault:
            case "forged":
                return other.phone.pay_code(wallet_id, who.device.id, now, jti)
            case "old":
                return who.phone.pay_code(wallet_id, who.device.id, now - timedelta(seconds=61), jti)
            case "another's wallet":
                return other.phone.pay_code(wallet_id, other.device.id, now, jti)
            case "unknown":
                return who.phone.pay_code(wallet_id, UNKNOWN, now, jti)
            case "malformed":
                return "no code" + "." * asked.number
        return who.phone.pay_code(wallet_id, who.device.id, now, jti)

    def _by_store(self, asked: Asked, yen: int) -> PayStore:
        account_id, wallet_id = self._payer(asked)
        shop = self.shops[asked.store % len(self.shops)]
        return PayStore(account_id, wallet_id, "S0000" if asked.fault == "unknown" else shop.code, yen)

    def _by_till(self, asked: Asked, yen: int) -> PayTill:
        account_id, wallet_id = self._payer(asked)
        number = "T0000" if asked.fault == "unknown" else self.tills[asked.number % len(self.tills)]
        amount = {"forged": yen, "old": TILL_YEN[asked.number % len(self.tills)]}.get(asked.fault)
        return PayTill(account_id, wallet_id, number, amount)

    def _payer(self, asked: Asked) -> tuple[UUID, UUID]:
        who = self._who(asked)
        account_id = self.people[(asked.who + 1) % NOBODY].account_id if asked.fault == "another's" else who.account_id
        return account_id, UNKNOWN if asked.who == NOBODY else who.wallet.id

    def _who(self, asked: Asked) -> Resident:
        return self.people[asked.who % NOBODY]


async def build(engine: AsyncEngine) -> World:
    """The town as it is before an example gives it a few lots more."""
    town = Town(engine)
    limited = replace(town_terms(purses=SPLIT), payment_limit_yen=9_000, day_limit_yen=15_000)
    await town.programme(limited)
    await town.programme(
        town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 4, 15)),
                   sale=Period(date(2026, 4, 1), date(2026, 4, 14))), code="moonlight"
    )  # fmt: skip
    await town.programme(town_terms(use=Period(date(2026, 5, 1), date(2026, 8, 31))), code="sunrise")
    people = [await town.resident() for _ in range(NOBODY)]
    shops = [await town.shop(), await town.shop("large"), await town.shop()]
    for who in people[:2]:
        await town.buy(who)
    # The newer version of the terms counts for both lots of whoever holds both.
    await town.correct(replace(limited, payment_limit_yen=10_000, day_limit_yen=16_000))
    await town.buy(people[1])
    await town.grant(people[POOR], 500, code="moonlight")
    await town.grant(people[EARLY], 3_000, code="sunrise")
    for who in people[SUSPENDED : CLERK + 1]:
        await town.buy(who)
    tills = []
    for place, yen in enumerate(TILL_YEN):
        shop = shops[place % 2]
        tills.append((await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))).code.number)
    worker = people[CLERK]
    member = AddMember(OFFICER, True, shops[0].id, worker.account_id, MemberRole.CLERK, worker.person_id)
    await town.do(add_member, member)
    await town.do(set_wallet_status, SetWalletStatus(people[SUSPENDED].wallet.number, "suspended", "lost", OFFICER))
    await town.do(set_store_status, SetStoreStatus(OFFICER, shops[2].id, Status.SUSPENDED, "sticker swapped"))
    return World(town, people, shops, tills)


async def prepare(world: World, grants: Sequence[tuple[int, int, str]], blocked: bool, at: datetime) -> None:
    """What an example adds: grants as (resident, points, programme), a blocked phone, and the time of the day."""
    town = world.town
    for place, points, code in grants:
        town.wait(seconds=1)  # so that lots differ by when they were issued
        await town.grant(world.people[place], points, code=code)
    if blocked:
        who = world.people[1]
        await town.do(block_device, BlockDevice(who.wallet.id, who.account_id, who.device.id))
    town.go_to(max(at, town.clock.now()))
    if at != NOON:  # register's codes live for minutes: made again at the hour of paying
        for place in range(2):
            shop = world.shops[place % 2]
            made = await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, TILL_YEN[place]))
            world.tills[place] = made.code.number


ROWS = {
    "lots": "SELECT id, paid_yen, premium_yen, expires_at FROM lot",
    "days": "SELECT wallet_id, programme_id, day, spent_yen, limit_yen FROM spent_today",
    "codes": "SELECT u.code_id, p.wallet_id, p.store_id FROM code_use u JOIN payment p ON p.id = u.payment_id",
    "payments": """
        SELECT p.wallet_id, p.store_id, p.mode, p.amount_yen, p.balance_after_yen, p.acted_by, p.effective_at,
               l.programme_id, l.kind, l.store_id, l.amount_yen, a.lot_id, a.turn, a.paid_yen, a.premium_yen
          FROM payment p JOIN payment_leg l ON l.payment_id = p.id AND l.deed_id = p.id
          JOIN payment_allocation a ON a.leg_id = l.id""",
    "books": """
        SELECT j.programme_id, j.kind, j.effective_at, p.account, p.owner_id, p.amount_yen
          FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id""",
    "deeds": "SELECT account_id, key, fingerprint, finished_at FROM deed",
}


async def rows(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Everything that payments write, but for the ids and numbers that they are given."""
    async with engine.connect() as connection:
        found = {name: (await connection.execute(text(query))).all() for name, query in ROWS.items()}
    return {name: sorted(map(tuple, of), key=repr) for name, of in found.items()}
