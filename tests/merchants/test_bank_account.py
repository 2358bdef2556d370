"""A payout account names a bank and branch that exist, in characters that a bank reads."""

from datetime import date
from typing import Any

import pytest
import zengin_code
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Refusal
from services.kit.kana import BankTextEmpty, FieldClass, NotBankCharacter, byte_length, permitted
from services.merchants.bank_account import (
    AccountKind,
    BankAccount,
    InvalidAccountKind,
    InvalidAccountNumber,
    InvalidYuchoNumber,
    Override,
    OverrideWithoutReason,
    UnknownBank,
    UnknownBranch,
    bank_account,
    bank_data_date,
    bank_name,
    branch_name,
    yucho_account,
)

GOOD: dict[str, Any] = {
    "bank_code": "0001",
    "branch_code": "001",
    "kind": 1,
    "number": "1234567",
    "holder": "ホシゾラ　ショウテン",
}
WORD = Override(reason="opened last week, seen on the bank's letter", bank_kana="ほしの", branch_kana="たなばた")


def account(**changed: Any) -> BankAccount:
    return bank_account(**GOOD | changed)


def test_an_account_is_kept_in_the_form_of_the_bank_file() -> None:
    made = account(bank_code="０００１", branch_code="００１", number="123-456")
    assert made == BankAccount(
        "0001", "ﾐｽﾞﾎ", "001", branch_name("0001", "001"), AccountKind.ORDINARY, "0123456", "ﾎｼｿﾞﾗ ｼﾖｳﾃﾝ"
    )


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"bank_code": "9998"}, UnknownBank),
        ({"bank_code": "1"}, UnknownBank),
        ({"bank_code": "abcd"}, UnknownBank),
        ({"branch_code": "999"}, UnknownBranch),
        ({"branch_code": ""}, UnknownBranch),
        ({"kind": 3}, InvalidAccountKind),
        ({"kind": True}, InvalidAccountKind),
        ({"number": "12345678"}, InvalidAccountNumber),
        ({"number": ""}, InvalidAccountNumber),
        ({"number": "12a4567"}, InvalidAccountNumber),
        ({"number": "-1"}, None),
        ({"holder": "星空商店"}, NotBankCharacter),
        ({"holder": " 　"}, BankTextEmpty),
    ],
)
def test_what_no_bank_could_pay_is_refused(changed: dict[str, Any], refusal: type[Refusal] | None) -> None:
    if refusal is None:
        assert account(**changed).number == "0000001", "a hyphen is punctuation, not a sign"
        return
    with pytest.raises(refusal):
        account(**changed)


def test_an_unknown_branch_says_how_old_the_list_is() -> None:
    with pytest.raises(UnknownBranch) as refused:
        account(branch_code="999")
    as_of = bank_data_date().isoformat()
    assert refused.value.params == {"bank_code": "0001", "branch_code": "999", "as_of": as_of}


def test_the_list_of_banks_has_a_date_of_this_century() -> None:
    assert date(2020, 1, 1) < bank_data_date()


@pytest.mark.parametrize("changed", [{"bank_code": "9998"}, {"branch_code": "999"}])
def test_an_officer_may_let_an_unknown_branch_pass_with_a_reason(changed: dict[str, Any]) -> None:
    made = account(**changed, override=WORD)
    assert (made.bank_kana, made.branch_kana, made.override_reason) == ("ﾎｼﾉ", "ﾀﾅﾊﾞﾀ", WORD.reason)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_no_override_passes_without_a_reason(reason: str) -> None:
    with pytest.raises(OverrideWithoutReason):
        account(branch_code="999", override=Override(reason, "ほしの", "たなばた"))


def test_an_override_gives_the_names_that_the_list_cannot_give() -> None:
    for names in (("", "たなばた"), ("ほしの", "")):
        with pytest.raises(BankTextEmpty):
            account(branch_code="999", override=Override("seen", *names))


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [({"bank_code": "99"}, UnknownBank), ({"branch_code": "9999"}, UnknownBranch), ({"kind": 7}, InvalidAccountKind)],
)
def test_an_override_forgives_nothing_but_the_list(changed: dict[str, Any], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        account(**changed, override=WORD)


def test_an_override_of_a_listed_branch_is_not_recorded() -> None:
    assert account(override=WORD) == account()


def test_every_listed_name_can_stand_in_a_bank_file() -> None:
    """All 1,146 banks and 28,944 branches: permitted characters, and at most their 15 bytes."""
    allowed = permitted(FieldClass.BANK)
    for code, bank in zengin_code.Bank.all.items():
        names = [bank_name(code), *(branch_name(code, branch) for branch in bank.branches)]
        assert all(0 < byte_length(name) <= 15 and set(name) <= allowed for name in names), code


@pytest.mark.parametrize(
    ("symbol", "number", "branch", "kind", "expected"),
    [
        ("14030", "12345671", "408", AccountKind.ORDINARY, "1234567"),
        ("15150", "21111111", "518", AccountKind.ORDINARY, "2111111"),
        ("00580", "654321", "059", AccountKind.CURRENT, "0654321"),
        ("00160", "100001", "019", AccountKind.CURRENT, "0100001"),
        ("１４０３０", "1-2345671", "408", AccountKind.ORDINARY, "1234567"),
        ("14030", "341", "408", AccountKind.ORDINARY, "0000034"),
    ],
)
def test_a_passbook_of_the_post_bank_is_paid_as_the_bank_converts_it(
    symbol: str, number: str, branch: str, kind: AccountKind, expected: str
) -> None:
    made = yucho_account(symbol, number, "ホシ")
    assert (made.bank_code, made.branch_code, made.kind, made.number) == ("9900", branch, kind, expected)


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("14031", "12345671"),
        ("24030", "12345671"),
        ("1403", "12345671"),
        ("140300", "12345671"),
        ("14030", "12345672"),
        ("14030", "123456781"),
        ("14030", "1"),
        ("14030", ""),
        ("00580", ""),
        ("00580", "12345678"),
        ("0058a", "654321"),
    ],
)
def test_what_is_no_passbook_number_is_refused(symbol: str, number: str) -> None:
    with pytest.raises(InvalidYuchoNumber):
        yucho_account(symbol, number, "ホシ")


@given(st.integers(0, 9_999_999))
def test_no_more_than_four_digits_of_an_account_are_shown(number: int) -> None:
    made = account(number=str(number))
    assert made.masked_number == f"***{number % 10_000:04d}"
    assert f"{number:07d}" not in repr(made)
    assert made.holder_kana not in repr(made)
