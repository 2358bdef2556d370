"""The machine's rules of payments, of what comes back of them, and of wallets and stores that are stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.kit.deeds import Deed, DeedIdReused, Done, fingerprint
from services.kit.errors import Refusal
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.payments.order import PayByCode, PayStore, PayTill
from services.payments.pay import pay_by_code, pay_store, pay_till
from services.payments.payment import Receipt
from services.payments.refund import Cancel, Refund, cancel, refund
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.open import SetWalletStatus, set_wallet_status
from tests.laws import records
from tests.laws.base import Sent
from tests.laws.buying import Buying
from tests.laws.world import ANY, BACK, PERSON, SHORT, STORE, WAYS, YEN
from tests.town import OFFICER


class Paying(Buying):
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

    def _cancel(self, payment: records.Payment, receipt: Receipt) -> None:
        shop = self.shops[payment.store]
        refusals = self.oracle.may_cancel(payment, self.now)
        back = self.attempt(refusals, cancel, Cancel(shop.clerk_id, shop.id, receipt.payment_id, "mistyped"))
        if back is not None:
            assert (back.amount_yen, back.left_yen) == (payment.left, 0)
            self.oracle.give_back(payment, "cancel", payment.left, self.now)

    def _refund(self, payment: records.Payment, receipt: Receipt, yen: int) -> None:
        shop = self.shops[payment.store]
        refusals = self.oracle.may_refund(payment, yen, self.now)
        command = Refund(shop.clerk_id, shop.id, receipt.payment_id, yen, "brought back")
        back = self.attempt(refusals, refund, command)
        if back is not None:
            late = [take.lot.programme.code for take in payment.takes if self.now >= take.lot.expires_at]
            self.seen.update(f"refund to expired {code}" for code in late)
            self.oracle.give_back(payment, "refund", yen, self.now)
            assert back.left_yen == payment.left

    def _of_short(self) -> list[tuple[records.Payment, Receipt]]:
        """Payments that may still be refunded, and took points of the short programme."""
        mine = [each for each in self.payments if each[0].left and self.now < SHORT.refunds_end_at]
        return [each for each in mine if any(take.lot.programme is SHORT for take in each[0].takes)]

    @precondition(lambda self: self._of_short())
    @rule(which=ANY, back=st.sampled_from(["half", "all"]), hours=st.integers(0, 90), store=STORE, sweep=st.booleans())
    def refund_behind_the_end_and_spend_it(self, which: int, back: str, hours: int, store: int, sweep: bool) -> None:
        self.town.go_to(max(self.now, SHORT.ends_at + timedelta(hours=hours)))
        if sweep:
            self.expire()
        some = self._of_short() or self.payments
        payment, receipt = some[which % len(some)]
        self._refund(payment, receipt, max(1, payment.left // (2 if back == "half" else 1)))
        self._pay(payment.person, store, "store code", self._amount(payment.person, "everything"))

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
