"""The table: fifteen invariants, what holds each, and the mutant without it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from infra.conformance import mutants, of_books, of_deeds, of_value
from infra.conformance.ground import Ground
from infra.conformance.mutants import Mutant

Invariant = Callable[[Ground], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """An invariant: what it says, what holds it here, how it is tried, and what the mutant takes away."""

    says: str
    held_by: str
    tried: str
    mutant: Mutant
    takes_away: str
    invariant: Invariant

    @property
    def name(self) -> str:
        return self.invariant.__name__


@dataclass(frozen=True)
class Verdict:
    """What was seen: with everything in place, and with the mutant; None where the invariant held."""

    row: Row
    as_built: str | None
    with_mutant: str | None

    @property
    def shown(self) -> bool:
        """It holds, and it would not if what holds it were missing."""
        return self.as_built is None and self.with_mutant is not None


ROWS: Final[Sequence[Row]] = (
    Row(
        "Every journal balances",
        "statement trigger `ledger_zero_sum` over all postings of an insert",
        "ten journals at a time written past the program, one of them 1, 100 or 10¹² yen off",
        mutants.no_zero_sum_trigger,
        "the trigger is dropped",
        of_books.every_journal_balances,
    ),
    Row(
        "The journal is append-only",
        "triggers `…_written_once` for everyone, and no right to change for the application",
        "UPDATE, DELETE and TRUNCATE of journals, postings and seals, as the application and as the owner",
        mutants.postings_may_change,
        "the trigger on postings is dropped and UPDATE granted",
        of_books.journals_are_append_only,
    ),
    Row(
        "The hash chain is intact",
        "each seal is SHA-256 over the one before and the journal's whole content",
        "laid in batches of two, recomputed by the auditor; seven ways to tamper, each noticed",
        mutants.seals_forget_the_one_before,
        "seals no longer cover the one before",
        of_books.the_hash_chain_is_intact,
    ),
    Row(
        "A duplicate is a no-op",
        "the id with its stored answer, written in the deed's own transaction",
        "the same id again, in the same process and in another",
        mutants.answers_are_not_looked_up,
        "the stored answer is not looked up",
        of_deeds.a_duplicate_is_a_no_op,
    ),
    Row(
        "64 concurrent duplicates collapse to one",
        "primary key `pk_deed`, and an advisory lock that answers at once",
        "64 connections of four processes send one deed at the same moment",
        mutants.check_then_insert,
        "key and lock gone: look, then insert",
        of_deeds.duplicates_at_once_are_one,
    ),
    Row(
        "No lost update over 500 credits to a hot account",
        "the wallet's row is locked, and a lot changes by what is added to it",
        "500 refunds of one yen to one lot, 16 at any moment",
        mutants.read_then_write_back,
        "no lock, and the lot is read, added to and written back",
        of_value.no_update_is_lost,
    ),
    Row(
        "Value is conserved under concurrent transfers",
        "both sides of a payment are one journal in one transaction; the store's account takes any number at once",
        "200 payments at once between ten wallets and two stores",
        mutants.busy_stores_are_skipped,
        "a store's account that is busy is not credited",
        of_value.value_is_conserved,
    ),
    Row(
        "A balance is a projection of the journal",
        "lots change in the transaction that posts what changed them",
        "bought, granted, paid, cancelled, refunded, expired: after each, lots and what the resident sees",
        mutants.expiry_is_not_posted,
        "expiry empties lots without a journal",
        of_value.a_balance_is_a_projection,
    ),
    Row(
        "No overdraft under a concurrent drain of 20",
        "the wallet's row lock, and under it CHECK `ck_lot_paid` and `ck_lot_premium`",
        "20 payments at once, each of a tenth of what is there",
        mutants.no_lock_and_no_check,
        "neither lock nor CHECK",
        of_value.nothing_is_overdrawn,
    ),
    Row(
        "No drift over 1,000 movements of one unit",
        "integer yen; each split is written down and given back as it was taken",
        "500 payments of one yen and their 500 refunds, ten wallets side by side",
        mutants.dust_is_not_posted,
        "payments below two yen are not posted",
        of_value.nothing_drifts,
    ),
    Row(
        "Kinds of value never mix in one journal",
        "a journal names one programme; a payment out of two writes two",
        "payments, a refund and a cancel over two programmes",
        mutants.one_journal_for_all,
        "one leg and one journal for all programmes",
        of_books.kinds_of_value_never_mix,
    ),
    Row(
        "A reversal is compensation, never deletion",
        "another journal of mirrored postings; `reverses_id` is unique",
        "a purchase undone (and once more, in vain), a payment cancelled; the first journals byte for byte",
        mutants.reversals_go_to_breakage,
        "what is taken back goes to breakage",
        of_books.a_reversal_compensates,
    ),
    Row(
        "State rebuilds exactly from the log",
        "counters and lots move in the deed's own transaction; the auditor rebuilds each of them",
        "bought, reserved, granted, paid, cancelled, refunded; six laws of `tanabata prove`",
        mutants.cancels_free_no_limit,
        "a cancel does not free the day's limit",
        of_value.state_rebuilds_from_the_log,
    ),
    Row(
        "Order per account is monotonic",
        "journals are recorded under the wallet's lock by the database's clock, never a worker's",
        "50 payments of one wallet by two workers in turn whose clocks differ by 1.9 s",
        mutants.recorded_by_the_workers_clock,
        "the record takes the worker's instant",
        of_books.order_per_account_is_monotonic,
    ),
    Row(
        "A duplicate of a refused deed is not reported as applied",
        "a refusal rolls the id back together with the deed",
        "refused twice for want of points; then, with points, the same id pays",
        mutants.refusals_are_kept_as_answers,
        "a refused deed keeps its id with an answer",
        of_deeds.a_refused_deed_is_not_applied,
    ),
)

HEADER: Final = """# Conformance: fifteen invariants of a ledger, each with the mutant that trips it

Made by `tanabata conformance --write docs/conformance.md`, which runs every line twice on databases of
its own: with everything in place the invariant must hold, and with its mutant it must be seen to break.
`--matrix` also runs every invariant against every mutant: each mutant trips its own line and no other.
The invariants and their sizes are those of the Ledger Conformance Kit; `tests/conformance` runs the same.

| | invariant | what holds it here | tried with | as built | mutant: what is taken away | with the mutant |
|---|---|---|---|---|---|---|
"""


def page(verdicts: Sequence[Verdict]) -> str:
    """The table as a page of documentation: what was seen differs from run to run, so it is not in it."""
    lines = [
        f"| {number} | {each.row.says} | {each.row.held_by} | {each.row.tried} | {_word(each.as_built)} "
        f"| {each.row.takes_away} | {_word(each.with_mutant)} |"
        for number, each in enumerate(verdicts, start=1)
    ]
    return HEADER + "\n".join(lines) + "\n"


def _word(broken: str | None) -> str:
    return "holds" if broken is None else "**tripped**"
