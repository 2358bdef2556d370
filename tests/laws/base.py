"""What every part of the machine stands on: a database of the example's own, and the comparison with the oracle."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import text

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from services.kit.deeds import Deed, Deeds
from services.kit.errors import Refusal
from services.payments.payment import Receipt
from services.settlement.bank_file import BankFile
from tests.laws import records
from tests.laws.oracle import Oracle
from tests.laws.world import LONG, PEOPLE, PROGRAMMES, SHORT, START, STORES, terms_of
from tests.town import Resident, Shop, Town

T = TypeVar("T")

LOTS = """
SELECT wallet_id, programme_id, purse, issued_at, paid_yen, premium_yen, expires_at FROM lot
"""

COUNTERS = """
SELECT a.reserved_units, a.sold_units, a.granted_points,
       (SELECT sum(bought_yen) FROM bought WHERE programme_id = :short),
       (SELECT sum(spent_yen) FROM spent_today WHERE programme_id = :short),
       b.reserved_units, b.sold_units, b.granted_points,
       (SELECT sum(bought_yen) FROM bought WHERE programme_id = :long),
       (SELECT sum(spent_yen) FROM spent_today WHERE programme_id = :long),
       (SELECT sum(returned_yen) FROM payment_returned),
       (SELECT sum(paid_yen + premium_yen) FROM expiry)
  FROM programme_stock a, programme_stock b WHERE a.programme_id = :short AND b.programme_id = :long
"""

BOOKS = """
SELECT j.programme_id, p.account, p.owner_id, sum(p.amount_yen)
  FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id
 WHERE p.account NOT IN ('wallet_paid', 'wallet_premium') GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Sent:
    """A named deed that was answered, to be sent again."""

    deed: Deed
    use_case: Callable[..., Awaitable[Receipt]]
    command: Any
    result: Receipt


class World(RuleBasedStateMachine):
    """A town and its oracle; `server` and `template` are set by the test that runs the machine."""

    server: DatabaseHandle
    template: str
    seen: ClassVar[Counter[str]] = Counter()
    """What happened in all examples together, by deed or refusal: a sample that did nothing shows zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.name = f"tanabata_laws_{token_hex(6)}"
        self.oracle = Oracle(PROGRAMMES, STORES)
        self.purchases: list[tuple[records.Purchase, UUID, str]] = []
        self.payments: list[tuple[records.Payment, Receipt]] = []
        self.files: list[tuple[records.File, BankFile]] = []
        self.sent: list[Sent] = []
        server = self.server
        handle = DatabaseHandle(named(server.app_url, self.name), named(server.migrator_url, self.name), server.schema)
        self.handle, self.engine = handle, handle.app_engine(pool_size=2)
        self.town = Town(self.engine, at=START)
        self.deeds = Deeds(self.town.database)
        try:
            self.run(create_database(server.migrator_url, self.name, self.template))
            self.run(self._settle())
        except BaseException:
            self._leave()
            raise

    async def _settle(self) -> None:
        self.programme_ids = {
            each.code: await self.town.programme(terms_of(each), code=each.code) for each in PROGRAMMES
        }
        self.people: list[Resident] = [await self.town.resident() for _ in range(PEOPLE)]
        first = await self.town.shop("small")
        second = await self.town.shop("large")
        third = await self.town.shop("small", merchant_id=second.merchant_id)
        self.shops: list[Shop] = [first, second, third]
        assert [each.merchant_id for each in self.shops] == [first.merchant_id, *[second.merchant_id] * 2]

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(step)

    def _key(self) -> UUID:
        return UUID(bytes=self.town.entropy.take(16), version=4)

    @property
    def now(self) -> datetime:
        return self.town.clock.now()

    def attempt(self, refusals: set[str], use_case: Callable[..., Awaitable[T]], command: Any) -> T | None:
        """Do a deed: it must be refused with one of these words, or succeed if there are none."""
        try:
            result = self.run(self.town.do(use_case, command))
        except Refusal as refusal:
            assert refusal.code in refusals, f"refused with {refusal}, right would be {refusals or 'to do it'}"
            self.seen[refusal.code] += 1
            return None
        assert not refusals, f"done, though it should be refused with {refusals}"
        self.seen[use_case.__name__] += 1
        return result

    async def _rows(self, question: str, **values: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(question), values)).all())

    @invariant()
    def every_lot_is_the_oracles(self) -> None:
        wallets = {who.wallet.id: person for person, who in enumerate(self.people)}
        codes = {programme_id: code for code, programme_id in self.programme_ids.items()}
        rows = self.run(self._rows(LOTS))
        found = {(wallets[row[0]], codes[row[1]], *row[2:4]): tuple(row[4:]) for row in rows}
        expected = {
            (lot.person, lot.programme.code, lot.purse, lot.issued_at): (lot.paid, lot.premium, lot.expires_at)
            for lot in self.oracle.lots
        }
        assert found == expected

    @invariant()
    def every_counter_is_the_oracles(self) -> None:
        [row] = self.run(self._rows(COUNTERS, short=self.programme_ids[SHORT.code], long=self.programme_ids[LONG.code]))
        found = tuple(int(each or 0) for each in row)
        stock = [
            figure
            for each in PROGRAMMES
            for figure in (
                self.oracle.units(each, "reserved"),
                self.oracle.units(each, "paid"),
                self.oracle.granted[each.code],
                sum(self.oracle.bought(person, each) for person in range(PEOPLE)),
                sum(yen for (_, code, _), yen in self.oracle.spent.items() if code == each.code),
            )
        ]
        returned = sum(payment.amount - payment.left for payment, _ in self.payments)
        assert found == (*stock, returned, sum(map(sum, self.oracle.expired.values())))

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # an example that failed already has said what is wrong
                self.run(self._finish())
                self.wind_up()
        finally:
            self._leave()

    def _leave(self) -> None:
        self.run(self.engine.dispose())
        self.run(drop_database(self.server.migrator_url, self.name))
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def _finish(self) -> None:
        """The books say what the oracle says, and the auditor finds nothing."""
        rows = await self._rows(BOOKS)
        found = {(row[0], row[1], row[2]): int(row[3]) for row in rows if row[3]}
        expected: dict[tuple[UUID, str, UUID | None], int] = {}
        for code, programme_id in self.programme_ids.items():
            expected |= {(programme_id, name, None): yen for name, yen in self.oracle.books(code).items()}
            for store, shop in enumerate(self.shops):
                figures = {
                    "store_payable": -self.oracle.payable(code, store),
                    "payout_due": -self.oracle.due(code, store),
                    "store_receivable": self.oracle.receivable(code, store),
                }
                expected |= {(programme_id, name, shop.id): yen for name, yen in figures.items() if yen}
        assert found == expected
        proof = await self.town.proof()
        assert proof.clean, json.dumps([vars(each) for each in proof.broken], default=str)

    def wind_up(self) -> None:
        """End the example's programmes; nothing to do before the machine settles."""
