"""The machine's rules of time, buying, grants and expiry."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

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
from tests.laws import records
from tests.laws.base import World
from tests.laws.world import ANY, CODE, JUMPS, PEOPLE, PERSON, PROGRAMMES, SHORT, SOON, TICK
from tests.town import OFFICER


class Buying(World):
    @initialize(units=st.lists(st.integers(0, 2), min_size=2 * PEOPLE, max_size=2 * PEOPLE))
    def buy_to_begin_with(self, units: list[int]) -> None:
        for turn, wanted in enumerate(units):
            if wanted:
                self.buy(turn % PEOPLE, PROGRAMMES[turn // PEOPLE].code, wanted, at_once=True)

    # Time

    @rule(jump=st.sampled_from([*SOON, *SOON, *JUMPS]))
    def time_goes_by(self, jump: str) -> None:
        self.town.go_to(max(self.now, JUMPS[jump](self.now)))

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

    def _hear(self, purchase: records.Purchase, purchase_id: UUID, *, paid: bool, wrong: int = 0) -> None:
        yen = purchase.price + wrong
        heard = self.run(self.town.do(hear, CheckoutWord(f"checkout-{purchase_id}", paid, yen)))
        self.oracle.hear(purchase, paid, yen, self.now)
        assert heard.status == purchase.status
        self.seen[f"purchase {purchase.status}"] += 1
        self.town.clock.advance(TICK)  # every lot has an instant of issue of its own

    @precondition(lambda self: self.purchases)
    @rule(which=ANY, word=st.sampled_from(["paid", "paid a yen short", "declined", "sweep", "send back"]))
    def the_channel_speaks(self, which: int, word: str) -> None:
        purchase, purchase_id, _ = self.purchases[which % len(self.purchases)]
        if word == "sweep":
            self.run(self.town.do(lapse, purchase_id))
            self.oracle.sweep(purchase, self.now)
        elif word == "send back":
            self.run(self.town.do(late_money_returned, purchase_id))
            self.oracle.send_back(purchase)
        else:
            self._hear(purchase, purchase_id, paid=word != "declined", wrong=-(word == "paid a yen short"))

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
