"""What may not be paid is refused before a byte of a bank file exists."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.kit.kana import BankTextEmpty, NotBankCharacter
from services.kit.money import MAX_AMOUNT_YEN
from services.merchants.bank_account import AccountKind
from services.settlement.calendar import CalendarNotCertain
from services.settlement.transfer import (
    MAX_TOTAL_YEN,
    MAX_TRANSFERS,
    DuplicateTransfer,
    NoTransfers,
    TooManyTransfers,
    TransferAmountInvalid,
    TransferTotalTooLarge,
    check_transfers,
)
from services.settlement.zengin import TransferDayClosed, read_transfer_file
from services.settlement.zengin_layout import TransferFieldInvalid, TransferFileBroken
from tests.settlement.samples import CITY, SENT, SHOP, SHOPS, write
from tests.strict_zengin import ZenginViolation, read_strictly


@pytest.mark.parametrize(
    ("day", "following"),
    [(date(2026, 11, 23), "2026-11-24"), (date(2026, 11, 28), "2026-11-30"), (date(2026, 12, 31), "2027-01-04")],
)
def test_no_file_is_dated_on_a_day_when_banks_are_closed(day: date, following: str) -> None:
    with pytest.raises(TransferDayClosed) as refused:
        write(day=day)
    assert refused.value.params == {"date": day.isoformat(), "next": following}


def test_no_file_is_dated_on_a_day_that_is_not_yet_certain() -> None:
    with pytest.raises(CalendarNotCertain):
        write(day=date(2030, 1, 7))


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT_YEN + 1, True, 10.0, "10", None, 10**20])
def test_an_amount_is_a_whole_number_of_yen_that_fits(amount: Any) -> None:
    with pytest.raises(TransferAmountInvalid) as refused:
        write((SHOPS[1], replace(SHOP, amount_yen=amount)))
    assert refused.value.params["row"] == 2


def test_a_file_pays_at_least_once() -> None:
    with pytest.raises(NoTransfers):
        write(())


def test_a_file_counts_no_further_than_its_trailer() -> None:
    with pytest.raises(TooManyTransfers):
        check_transfers([SHOP] * (MAX_TRANSFERS + 1), duplicates_confirmed=True)


def test_a_file_sums_no_further_than_its_trailer() -> None:
    full = [replace(SHOP, amount_yen=MAX_AMOUNT_YEN)] * 100
    rest = MAX_TOTAL_YEN - 100 * MAX_AMOUNT_YEN
    check_transfers([*full, replace(SHOP, amount_yen=rest)], duplicates_confirmed=True)
    with pytest.raises(TransferTotalTooLarge):
        check_transfers([*full, replace(SHOP, amount_yen=rest + 1)], duplicates_confirmed=True)


def test_the_same_account_and_amount_twice_takes_a_confirmation() -> None:
    twice = (SHOP, replace(SHOP, payee_kana="ﾍﾞﾂﾉﾅﾏｴ", customer_code_1="0000000009"))
    with pytest.raises(DuplicateTransfer) as refused:
        write(twice)
    assert refused.value.params == {"row": 2, "first": 1}
    data = write(twice, duplicates_confirmed=True)
    with pytest.raises(ZenginViolation):
        read_strictly(data)
    assert len(read_strictly(data, confirmed_duplicates=True)) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_yen": 12_211},
        {"number": "1234568"},
        {"kind": AccountKind.CURRENT},
        {"branch_code": "004"},
        {"bank_code": "0005"},
    ],
)
def test_what_differs_in_account_or_amount_is_no_duplicate(changed: dict[str, Any]) -> None:
    write((SHOP, replace(SHOP, **changed)))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"bank_code": "00010"}, "bank_code"),
        ({"bank_code": ""}, "bank_code"),
        ({"branch_code": "1a"}, "branch_code"),
        ({"number": "-1"}, "number"),
        ({"number": "１２３４５６７"}, "number"),
        ({"customer_code_1": "12345678901"}, "customer_code_1"),
        ({"new_code": "3"}, "new_code"),
        ({"designation": "9"}, "designation"),
        ({"edi": "A" * 21}, "edi"),
        ({"edi": "A", "customer_code_2": "0000000001"}, "edi"),
    ],
)
def test_what_does_not_fit_its_field_is_refused_by_name_and_row(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(TransferFieldInvalid) as refused:
        write((SHOPS[1], replace(SHOP, **changed)))
    assert refused.value.params == {"field": field, "row": 2}


def test_a_savings_account_cannot_pay() -> None:
    with pytest.raises(TransferFieldInvalid) as refused:
        write(sender=replace(CITY, kind=AccountKind.SAVINGS))
    assert refused.value.params == {"field": "kind", "row": 0}


@pytest.mark.parametrize("name", ["", "  ", "　"])
def test_nobody_without_a_name_pays_or_is_paid(name: str) -> None:
    with pytest.raises(BankTextEmpty):
        write((replace(SHOP, payee_kana=name),))
    with pytest.raises(BankTextEmpty):
        write(sender=replace(CITY, sender_kana=name))


def test_a_name_that_no_bank_can_read_is_refused() -> None:
    wrong = (
        replace(SHOP, payee_kana="星空"),
        replace(SHOP, bank_kana="(ﾐｽﾞﾎ)"),
        replace(SHOP, branch_kana="ﾎﾝﾃﾝ."),
        replace(SHOP, edi="ア・イ"),
    )
    for transfer in wrong:
        with pytest.raises(NotBankCharacter):
            write((transfer,))


def test_wo_in_a_name_is_written_and_read_only_by_decision() -> None:
    shop = replace(SHOP, payee_kana="ｱｦﾉ")
    with pytest.raises(NotBankCharacter):
        write((shop,))
    data = write((shop,), allow_wo=True)
    assert read_transfer_file(data, SENT, allow_wo=True)[0].transfers == (shop,)
    with pytest.raises(TransferFileBroken):
        read_transfer_file(data, SENT)


def test_no_other_line_ending_is_written() -> None:
    with pytest.raises(ValueError, match="CRLF"):
        write(line_ending=b"\r")
