"""A town in which everything may happen in any order, and an oracle that says what must come of it.

Each rule is one or a few real, committed deeds on a database of the example's own. The product's
answer must be the oracle's: the same refusal or the same effect, lot by lot. After every rule the
rows are compared with the oracle; at the end of the example the books are proven, both programmes
end, and the books are proven again.

Time is the rules' own: the clock stands still but when a rule moves it, so that midnights, the
last instant of points and the days of their revival are met exactly.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.settlement.approve import ApproveFile, VoidFile, approve, void
from services.settlement.bank_file import BankFile
from services.settlement.close import Close, close
from services.settlement.pay_out import MarkPaid, MarkSent, mark_paid, mark_sent
from services.settlement.propose import ProposeFile, propose
from services.settlement.withdraw import WithdrawFile, withdraw
from tests.laws.paying import Paying
from tests.laws.records import business_days_after, day_of, midnight_after, works
from tests.laws.world import ANY, CODE, FAIR, LONG, PROGRAMMES, SHORT, STORES
from tests.town import APPROVER, OFFICER

STATEMENTS = """
SELECT store_id, gross_yen, cancelled_yen, refunded_yen, fee_yen, fee_tax_yen, net_yen,
       carried_in_yen, receivable_in_yen, payout_yen, carried_out_yen, receivable_out_yen
  FROM statement WHERE close_id = :close_id
"""


class Laws(Paying):
    """The whole machine: what comes before, and the rules of settlement."""

    @rule(days=st.sampled_from([1, 1, 1, 2]), sweep=st.booleans(), settle=st.booleans())
    def nights_pass(self, days: int, sweep: bool, settle: bool) -> None:
        """What the worker does at night, on some nights."""
        self.town.go_to(midnight_after(day_of(self.now)) + timedelta(days=days - 1, hours=6))
        if sweep:
            self.expire()
        if settle:
            self.close_all_that_is_over()

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
    @rule(
        which=ANY, step=st.sampled_from(["approve", "approve", "void", "withdraw", "sent", "sent", "paid"]), second=FAIR
    )
    def handle_a_bank_file(self, which: int, step: str, second: bool) -> None:
        file, made = self.files[-1 - which % len(self.files)]
        officer, officer_id = ("second", APPROVER) if second else ("first", OFFICER)
        refusals = self.oracle.may_step(file, step, officer, self.now)
        commands: dict[str, tuple[Callable[..., Awaitable[BankFile]], object]] = {
            "approve": (approve, ApproveFile(made.id, made.sha256, officer_id)),
            "void": (void, VoidFile(made.id, "a slip", officer_id)),
            "withdraw": (withdraw, WithdrawFile(made.id, "never sent", officer_id)),
            "sent": (mark_sent, MarkSent(made.id, officer_id)),
            "paid": (mark_paid, MarkPaid(made.id, officer_id)),
        }
        if self.attempt(refusals, *commands[step]) is not None:
            self.oracle.step(file, step, officer)

    def wind_up(self) -> None:
        """Both programmes end: everything expires, is closed for the last time, and is paid out."""
        self.town.go_to(max(self.now, LONG.refunds_end_at + timedelta(days=2)))
        self.expire()
        self.close_all_that_is_over()
        self.run(self._finish())
        for turn, (file, _) in enumerate(reversed(self.files)):
            if file.status == "proposed":
                self.handle_a_bank_file(turn, "void", second=False)
            for second in (True, False) if file.status == "approved" else ():
                self.handle_a_bank_file(turn, "withdraw", second)
        self.town.wait(days=14)
        if self.oracle.due_by(day_of(self.now)):
            self.propose_a_bank_file(ahead=1)
            for step in ("approve", "sent", "paid"):
                self.handle_a_bank_file(0, step, second=True)
        self.every_lot_is_the_oracles()
        self.every_counter_is_the_oracles()
        self.run(self._finish())
        assert all(self.oracle.due(each.code, store) == 0 for each in PROGRAMMES for store in range(len(STORES)))
