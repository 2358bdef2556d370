"""A town in which everything may happen in any order, and an oracle that says what must come of it.

Each rule is one or a few real, committed deeds on a database of the example's own. The product's
answer must be the oracle's: the same refusal or the same effect, lot by lot. After every rule the
rows are compared with the oracle; at the end of the example the books are proven.

Time is the rules' own: the clock stands still but when a rule moves it, so that midnights, the
last instant of points and the days of their revival are met exactly.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import COMMON_ONLY, SPLIT
from services.campaigns.terms import ClosingRhythm, ExpiredRefund, Period, Settlement, Terms
from services.kit.deeds import Deed, DeedIdReused, Deeds, Done, fingerprint
from services.kit.errors import Refusal
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.payments.pay import PayByCode, PayStore, PayTill, pay_by_code, pay_store, pay_till
from services.payments.payment import Receipt
from services.payments.refund import Cancel, Refund, cancel, refund
from services.payments.till import MakeTillCode, make_till_code
from services.settlement.approve import ApproveFile, VoidFile, approve, void
from services.settlement.bank_file import BankFile
from services.settlement.close import Close, close
from services.settlement.pay_out import MarkPaid, MarkSent, mark_paid, mark_sent
from services.settlement.propose import ProposeFile, propose
from services.wallets.buy import (
    AttachCheckout,
    Buy,
    CheckoutWord,
    Undo,
    attach_checkout,
    hear,
    lapse,
    late_money_returned,
    reserve,
    undo,
)
from services.wallets.expire import expire_due
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from services.wallets.open import SetWalletStatus, set_wallet_status
from tests.laws import oracle
from tests.laws.oracle import Oracle, business_days_after, day_of, works
from tests.town import APPROVER, OFFICER, Resident, Shop, Town, town_terms

T = TypeVar("T")
BOTH, SMALL = frozenset({"large", "small"}), frozenset({"small"})
START = datetime(2026, 4, 6, 3, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PEOPLE = 3
STORES = [("small", 0), ("large", 1), ("small", 1)]
"""Class and merchant of each store: two of them share a merchant, so a bank account."""

SHORT = oracle.Programme(
    code="starlight",
    unit_yen=10_000,
    purses=(("common", 6_000, 2_000, BOTH), ("small", 4_000, 1_000, SMALL)),
    cap_yen=30_000,
    stock=5,
    grant_budget=2_500,
    first=START.date(),
    last_sale=datetime(2026, 4, 12, tzinfo=UTC).date(),
    last_use=datetime(2026, 4, 15, tzinfo=UTC).date(),
    payment_limit=6_000,
    day_limit=9_000,
    refund_days=4,
    revive_days=3,
    closes_on=4,
    lag=2,
    fee_bp={"large": 0, "small": 500},
    tax_bp=1_000,
    minimum_payout=1_000,
)
LONG = oracle.Programme(
    code="moonlight",
    unit_yen=10_000,
    purses=(("common", 10_000, 3_000, BOTH),),
    cap_yen=20_000,
    stock=1_000,
    grant_budget=0,
    first=START.date(),
    last_sale=datetime(2026, 4, 20, tzinfo=UTC).date(),
    last_use=datetime(2026, 4, 20, tzinfo=UTC).date(),
    payment_limit=50_000,
    day_limit=50_000,
    refund_days=3,
    revive_days=0,
    closes_on=None,
    lag=1,
    fee_bp={"large": 333, "small": 77},
    tax_bp=800,
    minimum_payout=1,
)
PROGRAMMES = [SHORT, LONG]


def terms_of(programme: oracle.Programme) -> Terms:
    """The product's terms for the oracle's facts."""
    return replace(
        town_terms(purses=SPLIT if len(programme.purses) == 2 else COMMON_ONLY),
        cap_yen=programme.cap_yen,
        stock_units=programme.stock,
        grant_budget_points=programme.grant_budget,
        sale=Period(programme.first, programme.last_sale),
        use=Period(programme.first, programme.last_use),
        payment_limit_yen=programme.payment_limit,
        day_limit_yen=programme.day_limit,
        refund_days=programme.refund_days,
        expired_refund=ExpiredRefund.REVIVE if programme.revive_days else ExpiredRefund.FORFEIT,
        revive_days=programme.revive_days,
        settlement=Settlement(
            rhythm=ClosingRhythm.DAILY if programme.closes_on is None else ClosingRhythm.WEEKLY,
            weekday=programme.closes_on or 0,
            lag_business_days=programme.lag,
            fee_bp_large=programme.fee_bp["large"],
            fee_bp_small=programme.fee_bp["small"],
            fee_tax_bp=programme.tax_bp,
            minimum_payout_yen=programme.minimum_payout,
        ),
    )


@dataclass(frozen=True)
class Sent:
    """A named deed that was answered, to be sent again."""

    deed: Deed
    use_case: Callable[..., Awaitable[Receipt]]
    command: Any
    result: Receipt


JUMPS: dict[str, Callable[[datetime], datetime]] = {
    "a second": lambda now: now + timedelta(seconds=1),
    "half an hour": lambda now: now + timedelta(minutes=31),
    "some hours": lambda now: now + timedelta(hours=5),
    "the last instant of the day": lambda now: oracle.midnight_after(day_of(now)) - TICK,
    "midnight": lambda now: oracle.midnight_after(day_of(now)),
    "a day": lambda now: now + timedelta(days=1),
    "three days": lambda now: now + timedelta(days=3),
    "the last instant of the short programme": lambda _: SHORT.ends_at - TICK,
    "the end of the short programme": lambda _: SHORT.ends_at,
    "the end of the long programme": lambda _: LONG.ends_at,
}
SOON = ("a second", "half an hour", "some hours", "the last instant of the day", "midnight")
WAYS = ("pay code", "store code", "register")
PERSON = st.integers(0, PEOPLE - 1)
STORE = st.integers(0, len(STORES) - 1)
CODE = st.sampled_from([each.code for each in PROGRAMMES])
ANY = st.integers(0, 10_000)
"""Which of the things that are there; taken modulo their number."""

YEN = st.one_of(
    st.integers(1, 7_000),
    st.integers(1, 3_000),
    st.sampled_from(["everything", "a yen more", "the limit", "above the limit"]),
)

BACK = st.one_of(st.integers(1, 60), st.sampled_from(["half", "half", "all", "all", "too much", "cancel"]))


class Laws(RuleBasedStateMachine):
    """The rules; `server` and `template` are set by the test that runs them."""

    server: DatabaseHandle
    template: str
    seen: ClassVar[Counter[str]] = Counter()
    """What happened in all examples together, by deed or refusal: a sample that did nothing shows zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.name = f"tanabata_laws_{token_hex(6)}"
        self.run(create_database(self.server.migrator_url, self.name, self.template))
        handle = replace(
            self.server,
            app_url=named(self.server.app_url, self.name),
            migrator_url=named(self.server.migrator_url, self.name),
        )
        self.handle = handle
        self.engine = handle.app_engine(pool_size=2)
        self.town = Town(self.engine, at=START)
        self.deeds = Deeds(self.town.database)
        self.oracle = Oracle(PROGRAMMES, STORES)
        self.purchases: list[tuple[oracle.Purchase, UUID, str]] = []
        self.payments: list[tuple[oracle.Payment, Receipt]] = []
        self.files: list[tuple[oracle.File, BankFile]] = []
        self.sent: list[Sent] = []
        self.run(self._settle())

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

    @initialize(units=st.lists(st.integers(0, 2), min_size=2 * PEOPLE, max_size=2 * PEOPLE))
    def buy_to_begin_with(self, units: list[int]) -> None:
        for turn, wanted in enumerate(units):
            if wanted:
                self.buy(turn % PEOPLE, PROGRAMMES[turn // PEOPLE].code, wanted, at_once=True)

    # Time

    @rule(jump=st.sampled_from([*SOON, *SOON, *JUMPS]))
    def time_goes_by(self, jump: str) -> None:
        self.town.go_to(max(self.now, JUMPS[jump](self.now)))

    @rule(days=st.sampled_from([1, 1, 1, 2]), sweep=st.booleans(), settle=st.booleans())
    def nights_pass(self, days: int, sweep: bool, settle: bool) -> None:
        """What the worker does at night, on some nights."""
        self.town.go_to(oracle.midnight_after(day_of(self.now)) + timedelta(days=days - 1, hours=6))
        if sweep:
            self.expire()
        if settle:
            self.close_all_that_is_over()

    # Buying

    @rule(person=PERSON, code=CODE, units=st.integers(1, 3), at_once=st.sampled_from([True, True, False]))
    def buy(self, person: int, code: str, units: int, at_once: bool) -> None:
        who = self.people[person]
        refusals = self.oracle.may_reserve(person, code, units, self.now)
        made = self.attempt(refusals, reserve, Buy(who.wallet.id, who.account_id, code, units))
        if made is None:
            return
        purchase = self.oracle.reserve(person, code, units, self.now)
        assert (made.price_yen, made.reserved_until) == (purchase.price, purchase.until)
        checkout_id = f"checkout-{made.id}"
        self.run(self.town.do(attach_checkout, AttachCheckout(made.id, checkout_id)))
        self.purchases.append((purchase, made.id, made.number))
        if at_once:
            self._hear(purchase, made.id, paid=True)

    def _hear(self, purchase: oracle.Purchase, purchase_id: UUID, *, paid: bool) -> None:
        word = CheckoutWord(f"checkout-{purchase_id}", paid, purchase.price)
        heard = self.run(self.town.do(hear, word))
        self.oracle.hear(purchase, paid, self.now)
        assert heard.status == purchase.status
        self.seen[f"purchase {purchase.status}"] += 1
        self.town.clock.advance(TICK)  # every lot has an instant of issue of its own

    @precondition(lambda self: self.purchases)
    @rule(which=ANY, word=st.sampled_from(["paid", "declined", "sweep", "send back"]))
    def the_channel_speaks(self, which: int, word: str) -> None:
        purchase, purchase_id, _ = self.purchases[which % len(self.purchases)]
        if word == "sweep":
            self.run(self.town.do(lapse, purchase_id))
            self.oracle.sweep(purchase, self.now)
        elif word == "send back":
            self.run(self.town.do(late_money_returned, purchase_id))
            self.oracle.send_back(purchase)
        else:
            self._hear(purchase, purchase_id, paid=word == "paid")

    @precondition(lambda self: self.purchases)
    @rule(which=ANY)
    def undo_a_purchase(self, which: int) -> None:
        purchase, _, number = self.purchases[which % len(self.purchases)]
        refusals = self.oracle.may_undo(purchase, self.now)
        if self.attempt(refusals, undo, Undo(number, "a slip", OFFICER)) is not None:
            self.oracle.undo(purchase)

    @rule(person=PERSON, points=st.integers(1, 900), purse=st.sampled_from(["common", "small"]))
    def grant(self, person: int, points: int, purse: str) -> None:
        lines = (GrantLine(2, self.people[person].wallet.number, points),)
        refusals = self.oracle.may_grant(SHORT.code, points, self.now)
        if self.attempt(refusals, grant, Grant(SHORT.code, purse, "a gift", OFFICER, lines)) is not None:
            self.oracle.grant(person, SHORT.code, purse, points, self.now)
            self.town.clock.advance(TICK)

    @rule()
    def expire(self) -> None:
        lost = 0
        while (swept := self.run(self.town.do(expire_due, 2))).wallets:
            lost += swept.yen
        assert lost == self.oracle.expire(self.now)
        self.seen["expired"] += lost > 0

    # Paying

    @rule(payments=st.lists(st.tuples(PERSON, STORE, st.sampled_from(WAYS), YEN), min_size=3, max_size=6))
    def pay(self, payments: list[tuple[int, int, str, int | str]]) -> None:
        for person, store, way, yen in payments:
            self._pay(person, store, way, self._amount(person, yen))

    @rule(person=PERSON, store=STORE, way=st.sampled_from(WAYS), yen=YEN, seconds=st.integers(0, 3))
    def pay_a_little_later(self, person: int, store: int, way: str, yen: int | str, seconds: int) -> None:
        self.town.wait(seconds=seconds)
        self._pay(person, store, way, self._amount(person, yen))

    def _amount(self, person: int, yen: int | str) -> int:
        held = self.oracle.points(person, self.now)
        words = {"everything": held, "a yen more": held + 1, "the limit": SHORT.payment_limit}
        return max(1, yen if isinstance(yen, int) else words.get(yen, SHORT.payment_limit + 1))

    def _pay(self, person: int, store: int, way: str, yen: int) -> None:
        refusals, takes = self.oracle.plan(person, store, yen, self.now)
        found = self._command(person, store, way, yen)
        if found is None:
            assert store in self.oracle.stopped_stores
            return
        use_case, command = found
        deed = Deed(command.account_id, self._key(), fingerprint(way, command))
        try:
            done = self.run(self.deeds.perform(deed, use_case, command, Receipt))
        except Refusal as refusal:
            assert refusal.code in refusals, f"refused with {refusal}, right would be {refusals or 'to pay'}"
            self.seen[refusal.code] += 1
            return
        assert not refusals, f"paid, though it should be refused with {refusals}"
        receipt = done.result
        self.seen[way] += 1
        self.seen["several programmes"] += len({part.programme_id for part in receipt.parts}) > 1
        self.seen["revived points spent"] += any(take.lot.expires_at > take.lot.programme.ends_at for take in takes)
        payment = self.oracle.pay(person, store, yen, takes, self.now)
        assert [part.yen for part in receipt.parts] == [take.paid + take.premium for take in takes]
        assert receipt.balance_after_yen == self.oracle.points(person, self.now)
        self.payments.append((payment, receipt))
        self.sent.append(Sent(deed, use_case, command, receipt))

    def _command(
        self, person: int, store: int, way: str, yen: int
    ) -> tuple[Callable[..., Awaitable[Receipt]], Any] | None:
        who, shop = self.people[person], self.shops[store]
        if way == "pay code":
            return pay_by_code, PayByCode(shop.clerk_id, shop.id, self.town.code_of(who), yen)
        if way == "store code":
            return pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen)
        refusals = {"store_suspended"} if store in self.oracle.stopped_stores else set()
        made = self.attempt(refusals, make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))
        return None if made is None else (pay_till, PayTill(who.account_id, who.wallet.id, made.code.number, None))

    @precondition(lambda self: self.sent)
    @rule(which=ANY, changed=st.booleans())
    def send_a_payment_again(self, which: int, changed: bool) -> None:
        sent = self.sent[which % len(self.sent)]
        deed = replace(sent.deed, fingerprint=fingerprint("other", sent.command)) if changed else sent.deed
        try:
            done = self.run(self.deeds.perform(deed, sent.use_case, sent.command, Receipt))
        except DeedIdReused:
            assert changed
        else:
            assert not changed
            assert done == Done(sent.result, replayed=True)

    @precondition(lambda self: self.payments)
    @rule(returns=st.lists(st.tuples(ANY, BACK), min_size=1, max_size=3))
    def give_back(self, returns: list[tuple[int, int | str]]) -> None:
        for which, back in returns:
            some = [each for each in self.payments if each[0].left] or self.payments
            payment, receipt = some[-1 - which % len(some)]
            if back == "cancel":
                self._cancel(payment, receipt)
            else:
                words = {"half": payment.left // 2, "all": payment.left}
                yen = back if isinstance(back, int) else words.get(back, payment.left + 1)
                self._refund(payment, receipt, max(1, yen))

    @precondition(lambda self: self.payments)
    @rule(which=st.integers(0, 2))
    def cancel_one_of_the_last(self, which: int) -> None:
        self._cancel(*self.payments[-1 - which % len(self.payments)])

    def _cancel(self, payment: oracle.Payment, receipt: Receipt) -> None:
        shop = self.shops[payment.store]
        refusals = self.oracle.may_cancel(payment, self.now)
        back = self.attempt(refusals, cancel, Cancel(shop.clerk_id, shop.id, receipt.payment_id, "mistyped"))
        if back is not None:
            assert (back.amount_yen, back.left_yen) == (payment.left, 0)
            self.oracle.give_back(payment, "cancel", payment.left, self.now)

    def _refund(self, payment: oracle.Payment, receipt: Receipt, yen: int) -> None:
        shop = self.shops[payment.store]
        refusals = self.oracle.may_refund(payment, yen, self.now)
        command = Refund(shop.clerk_id, shop.id, receipt.payment_id, yen, "brought back")
        back = self.attempt(refusals, refund, command)
        if back is not None:
            late = [take.lot.programme.code for take in payment.takes if self.now >= take.lot.expires_at]
            self.seen.update(f"refund to expired {code}" for code in late)
            self.oracle.give_back(payment, "refund", yen, self.now)
            assert back.left_yen == payment.left

    # Stopping

    @rule(person=PERSON, store=STORE, stop=st.sampled_from(["wallet", "store", "", "", ""]))
    def stop_one_and_release_the_others(self, person: int, store: int, stop: str) -> None:
        for number, who in enumerate(self.people):
            stopped = stop == "wallet" and number == person
            if stopped != (number in self.oracle.stopped_persons):
                status = "suspended" if stopped else "active"
                self.run(self.town.do(set_wallet_status, SetWalletStatus(who.wallet.number, status, "x", OFFICER)))
        for number, shop in enumerate(self.shops):
            stopped = stop == "store" and number == store
            if stopped != (number in self.oracle.stopped_stores):
                state = Status.SUSPENDED if stopped else Status.ACTIVE
                self.run(self.town.do(set_store_status, SetStoreStatus(OFFICER, shop.id, state, "x")))
        self.oracle.stopped_persons = {person} if stop == "wallet" else set()
        self.oracle.stopped_stores = {store} if stop == "store" else set()

    # Settlement

    @precondition(lambda self: self.oracle.legs)
    @rule(code=CODE)
    def close(self, code: str) -> None:
        self._close(code)

    @rule()
    def close_all_that_is_over(self) -> None:
        for programme in PROGRAMMES:
            while not self.oracle.may_close(programme.code, self.now):
                self._close(programme.code)

    def _close(self, code: str) -> None:
        day, refusals = self.oracle.next_closing(code), self.oracle.may_close(code, self.now)
        books = self.attempt(refusals, close, Close(code, day, OFFICER))
        if books is None:
            return
        told = self.oracle.close(code)
        self.seen["paid out"] += any(each.payout for each in told)
        self.seen["carried"] += any(each.carried for each in told)
        self.seen["owed to us"] += any(each.owed_to_us for each in told)
        assert self.run(self._statements(books.id)) == {each.store: each.figures for each in told}
        assert self.run(self.town.do(close, Close(code, day, OFFICER))) == books

    async def _statements(self, close_id: UUID) -> dict[int, tuple[int, ...]]:
        rows = await self._rows(STATEMENTS, close_id=close_id)
        numbers = {shop.id: number for number, shop in enumerate(self.shops)}
        return {numbers[row[0]]: tuple(row[1:]) for row in rows}

    @precondition(lambda self: self.oracle.statements)
    @rule(ahead=st.integers(0, 4))
    def propose_a_bank_file(self, ahead: int) -> None:
        day = day_of(self.now)
        day = business_days_after(day, ahead) if ahead or not works(day) else day
        if not works(day):
            day = business_days_after(day, 1)
        due = self.oracle.due_by(day)
        made = self.attempt(set() if due else {"payouts_none_due"}, propose, ProposeFile(SHORT.code, day, OFFICER))
        if made is not None:
            assert made.held == ()
            merchants = {STORES[each.store][1] for each in due}
            assert (made.file.total_yen, made.file.transfers) == (sum(each.payout for each in due), len(merchants))
            self.files.append((self.oracle.propose(day), made.file))

    @precondition(lambda self: self.files)
    @rule(which=ANY, step=st.sampled_from(["approve", "approve", "approve oneself", "void", "sent", "sent", "paid"]))
    def handle_a_bank_file(self, which: int, step: str) -> None:
        file, made = self.files[which % len(self.files)]
        wrong = {"bank_file_step_wrong"}
        if step in {"approve", "approve oneself"}:
            alone = {"second_officer_needed"} if step == "approve oneself" else set()
            officer = OFFICER if alone else APPROVER
            refusals = (set() if file.status == "proposed" else wrong) | alone
            if self.attempt(refusals, approve, ApproveFile(made.id, made.sha256, officer)) is not None:
                file.status = "approved"
        elif step == "void":
            refusals = set() if file.status == "proposed" else wrong
            if self.attempt(refusals, void, VoidFile(made.id, "a slip", OFFICER)) is not None:
                self.oracle.void(file)
        elif step == "sent":
            refusals = set() if file.status == "approved" else wrong
            if self.attempt(refusals, mark_sent, MarkSent(made.id, OFFICER)) is not None:
                file.status = "sent"
        else:
            refusals = set() if file.status == "sent" else wrong
            if self.attempt(refusals, mark_paid, MarkPaid(made.id, OFFICER)) is not None:
                file.status = "paid"

    # What must hold after every rule

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
        assert found == (*stock, returned, sum(self.oracle.expired.values()))

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # an example that failed already has said what is wrong
                self.run(self._finish())
                self.wind_up()
        finally:
            self.run(self.engine.dispose())
            self.run(drop_database(self.server.migrator_url, self.name))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    async def _finish(self) -> None:
        """The books say what the oracle says, and the auditor finds nothing."""
        rows = await self._rows(BOOKS)
        found = {(row[0], row[1], row[2]): int(row[3]) for row in rows if row[3]}
        expected: dict[tuple[UUID, str, UUID], int] = {}
        for code, programme_id in self.programme_ids.items():
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
        """Both programmes end: everything expires, is closed for the last time, and is paid out."""
        self.town.go_to(max(self.now, LONG.refunds_end_at + timedelta(days=2)))
        self.expire()
        self.close_all_that_is_over()
        self.run(self._finish())
        for number, (file, _) in enumerate(self.files):
            if file.status == "proposed":
                self.handle_a_bank_file(number, "approve")
            if file.status == "approved":
                self.handle_a_bank_file(number, "sent")
        self.town.wait(days=14)
        if self.oracle.due_by(day_of(self.now)):
            self.propose_a_bank_file(ahead=1)
            for step in ("approve", "sent", "paid"):
                self.handle_a_bank_file(len(self.files) - 1, step)
        self.every_lot_is_the_oracles()
        self.every_counter_is_the_oracles()
        self.run(self._finish())
        assert all(self.oracle.due(each.code, store) == 0 for each in PROGRAMMES for store in range(len(STORES)))


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

STATEMENTS = """
SELECT store_id, gross_yen, cancelled_yen, refunded_yen, fee_yen, fee_tax_yen, net_yen,
       carried_in_yen, receivable_in_yen, payout_yen, carried_out_yen, receivable_out_yen
  FROM statement WHERE close_id = :close_id
"""

BOOKS = """
SELECT j.programme_id, p.account, p.owner_id, sum(p.amount_yen)
  FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id
 WHERE p.account IN ('store_payable', 'payout_due', 'store_receivable') GROUP BY 1, 2, 3
"""
