"""Which payouts stand in which line of a file follows from them alone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest

from services.kit.money import MAX_AMOUNT_YEN
from services.merchants.bank_account import BankAccount, bank_account
from services.merchants.payout_account import PayoutAccount
from services.settlement import bank_file
from services.settlement.bank_file import DuePayout, HeldBecause, HeldPayout, lines_of
from services.settlement.transfer import MAX_TOTAL_YEN, check_transfers

OWN = bank_account("0138", "641", 1, "1", "ホシミ")
SHARED = bank_account("0138", "641", 1, "7654321", "ホシミ")
SAME_OTHER_NAME = bank_account("0138", "641", 1, "7654321", "ホシミ（カ")
CURRENT = bank_account("0138", "641", 2, "7654321", "ホシミ")


def payout(store: str, merchant: int, yen: int, *, active: bool = True) -> DuePayout:
    return DuePayout(UUID(int=yen), f"N{yen}", store, UUID(int=merchant), active, yen)


def accounts(*given: BankAccount) -> dict[UUID, PayoutAccount]:
    """Of merchant 1, 2 …"""
    set_at = datetime(2026, 4, 1, tzinfo=UTC)
    merchants = [UUID(int=number) for number in range(1, len(given) + 1)]
    return {
        merchant: PayoutAccount(UUID(int=100 + merchant.int), merchant, account, merchant, set_at)
        for merchant, account in zip(merchants, given, strict=True)
    }


def drawn(due: Sequence[DuePayout], *given: BankAccount) -> list[tuple[int, int, int]]:
    lines, _ = lines_of(due, accounts(*given))
    return [(line.line, line.payout_account_id.int, line.amount_yen) for line in lines]


def test_lines_stand_in_the_order_of_their_lowest_store_code() -> None:
    due = [payout("S1", 2, 10), payout("S2", 1, 20), payout("S3", 2, 30)]
    assert drawn(due, OWN, SHARED) == [(1, 102, 40), (2, 101, 20)]


def test_an_account_is_its_bank_branch_kind_and_number_whoever_is_named() -> None:
    due = [payout("S1", 1, 10), payout("S2", 2, 20), payout("S3", 3, 30)]
    assert drawn(due, SHARED, SAME_OTHER_NAME, CURRENT) == [(1, 101, 30), (2, 103, 30)]


def test_what_cannot_be_paid_is_held_back_with_its_reason() -> None:
    due = [
        payout("S1", 1, 10),
        payout("S2", 9, 20),
        payout("S3", 1, 30, active=False),
        payout("S4", 9, 40, active=False),
    ]
    lines, held = lines_of(due, accounts(OWN))
    assert [line.amount_yen for line in lines] == [10]
    assert held == (
        HeldPayout("N20", "S2", 20, HeldBecause.NO_ACCOUNT),
        HeldPayout("N30", "S3", 30, HeldBecause.SUSPENDED),
        HeldPayout("N40", "S4", 40, HeldBecause.SUSPENDED),
    )


def test_a_line_carries_its_number_to_the_bank() -> None:
    lines, _ = lines_of([payout("S1", 1, 10), payout("S2", 2, 20)], accounts(OWN, SHARED))
    assert [line.transfer().customer_code_1 for line in lines] == ["0000000001", "0000000002"]


def test_every_payout_is_in_one_line_or_held() -> None:
    due = [payout("S1", 1, 10), payout("S2", 2, 20), payout("S3", 9, 40), payout("S4", 1, 80, active=False)]
    for order in permutations(due):
        lines, held = lines_of(order, accounts(OWN, SHARED))
        assert sum(line.amount_yen for line in lines) + sum(each.amount_yen for each in held) == 150


def test_what_a_transfer_cannot_hold_waits_and_the_rest_is_paid() -> None:
    due = [
        payout("S1", 1, MAX_AMOUNT_YEN - 5),
        payout("S2", 1, 6),
        payout("S3", 2, 20),
        payout("S4", 1, 5),
        payout("S5", 2, MAX_AMOUNT_YEN + 1),
    ]
    lines, held = lines_of(due, accounts(OWN, SHARED))
    assert [line.amount_yen for line in lines] == [MAX_AMOUNT_YEN, 20]
    assert [(each.store_code, each.because) for each in held] == [
        ("S2", HeldBecause.OVER_LIMIT),
        ("S5", HeldBecause.OVER_LIMIT),
    ]
    (again,), _ = lines_of([due[1]], accounts(OWN, SHARED))
    assert again.amount_yen == 6, "the next proposal takes it"


def test_what_a_file_cannot_sum_waits_and_the_rest_is_paid() -> None:
    own = [bank_account("0138", "641", 1, str(number), "ホシミ") for number in range(1, 103)]
    due = [payout(f"S{number:03}", number, MAX_AMOUNT_YEN) for number in range(1, 102)]
    rest = MAX_TOTAL_YEN - 100 * MAX_AMOUNT_YEN
    due.append(payout("S102", 102, rest))
    lines, held = lines_of(due, accounts(*own))
    assert sum(line.amount_yen for line in lines) == MAX_TOTAL_YEN
    assert [(each.store_code, each.because) for each in held] == [("S101", HeldBecause.OVER_LIMIT)]
    check_transfers([line.transfer() for line in lines])


def test_what_a_file_cannot_count_waits_and_its_accounts_are_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_file, "MAX_TRANSFERS", 2)
    due = [payout("S1", 1, 10), payout("S2", 2, 20), payout("S3", 3, 40), payout("S4", 1, 80)]
    lines, held = lines_of(due, accounts(OWN, SHARED, CURRENT))
    assert [line.amount_yen for line in lines] == [90, 20]
    assert held == (HeldPayout("N40", "S3", 40, HeldBecause.OVER_LIMIT),)
