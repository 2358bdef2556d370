"""The bank account to which a merchant is paid.

Law: an account that leaves this module names a bank and a branch that exist in the
dated list of codes (`zengin-code`), or carries the reason for which an officer let it
pass; its names are written in the characters of a bank file; and its number is never
shown whole. Names are copied into the value, so that a file written today is written the
same after the list has changed.
"""

import unicodedata
from dataclasses import dataclass, field
from enum import IntEnum

from services.kit.banks import (
    BANK_DIGITS,
    BRANCH_DIGITS,
    NUMBER_DIGITS,
    UnknownBank,
    UnknownBranch,
    bank_data_date,
    bank_name,
    branch_name,
)
from services.kit.errors import Refusal
from services.kit.kana import BankTextEmpty, FieldClass, to_bank_text

__all__ = [
    "NUMBER_DIGITS",
    "AccountKind",
    "BankAccount",
    "InvalidAccountKind",
    "InvalidAccountNumber",
    "InvalidYuchoNumber",
    "Override",
    "OverrideWithoutReason",
    "UnknownBank",
    "UnknownBranch",
    "bank_account",
    "bank_data_date",
    "bank_name",
    "branch_name",
    "masked",
    "yucho_account",
]

YUCHO = "9900"
MAX_REASON_LENGTH = 500
_SPACE_AND_HYPHENS = frozenset(" -\u2010\u2212ー")


class AccountKind(IntEnum):
    """預金種目, with the digits of the bank file."""

    ORDINARY = 1
    CURRENT = 2
    SAVINGS = 4
    OTHER = 9


class InvalidAccountKind(Refusal):
    """Neither 1 (普通), 2 (当座), 4 (貯蓄) nor 9 (その他)."""

    code = "account_kind_invalid"


class InvalidAccountNumber(Refusal):
    """Not one to seven digits."""

    code = "account_number_invalid"


class InvalidYuchoNumber(Refusal):
    """Not a 記号 and 番号 of ゆうちょ銀行."""

    code = "yucho_number_invalid"


class OverrideWithoutReason(Refusal):
    """A bank that is not in the list is let pass only with a reason of 1 to 500 characters."""

    code = "bank_override_reason_missing"


@dataclass(frozen=True, slots=True)
class Override:
    """An officer's word for a bank or branch that the list does not (yet) have.

    The names are typed by the officer, because no list gives them.
    """

    reason: str
    bank_kana: str
    branch_kana: str


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A validated account, with names in half-width kana; made by `bank_account`.

    The number and the holder stay out of `repr`, so that no log line shows them.
    """

    bank_code: str
    bank_kana: str
    branch_code: str
    branch_kana: str
    kind: AccountKind
    number: str = field(repr=False)
    holder_kana: str = field(repr=False)
    override_reason: str | None = None

    @property
    def masked_number(self) -> str:
        """The last four digits, all that a screen ever shows: `***4567`."""
        return masked(self.number)


def masked(number: str) -> str:
    """An account's number as people may see it: its last four digits."""
    return "***" + number[-4:]


def bank_account(
    bank_code: str,
    branch_code: str,
    kind: int,
    number: str,
    holder: str,
    *,
    override: Override | None = None,
    allow_wo: bool = False,
) -> BankAccount:
    """Validate an account as typed: codes and number in any width, the holder in any kana.

    `override` counts only where the list has no such bank or branch; it is then recorded.
    Raises `UnknownBank`, `UnknownBranch`, `InvalidAccountKind`, `InvalidAccountNumber`,
    `OverrideWithoutReason`, and for the holder `NotBankCharacter`, `BankTextEmpty` or
    `BankTextTooLong`.
    """
    bank_digits, branch_digits = _digits(bank_code), _digits(branch_code)
    names, reason = _names(bank_digits, branch_digits, override)
    digits = _digits(number)
    if not 1 <= len(digits) <= NUMBER_DIGITS:
        raise InvalidAccountNumber
    return BankAccount(
        bank_code=bank_digits,
        bank_kana=names[0],
        branch_code=branch_digits,
        branch_kana=names[1],
        kind=_kind(kind),
        number=digits.zfill(NUMBER_DIGITS),
        holder_kana=_required(holder, FieldClass.PARTY, allow_wo=allow_wo),
        override_reason=reason,
    )


def yucho_account(symbol: str, number: str, holder: str, *, allow_wo: bool = False) -> BankAccount:
    """The transfer account behind a ゆうちょ passbook's 記号 (five digits) and 番号.

    1xxx0: branch = second and third digit and 8, ordinary; the number's last digit, always
    1, is dropped. 0xxx0: branch = second and third digit and 9, current; the number as it
    is. Raises `InvalidYuchoNumber` and what `bank_account` raises.
    """
    sign, digits = _digits(symbol), _digits(number)
    if len(sign) != 5 or sign[0] not in "01" or sign[4] != "0":
        raise InvalidYuchoNumber
    if sign[0] == "1":
        if not 2 <= len(digits) <= NUMBER_DIGITS + 1 or digits[-1] != "1":
            raise InvalidYuchoNumber
        branch, kind, account = sign[1:3] + "8", AccountKind.ORDINARY, digits[:-1]
    else:
        if not 1 <= len(digits) <= NUMBER_DIGITS:
            raise InvalidYuchoNumber
        branch, kind, account = sign[1:3] + "9", AccountKind.CURRENT, digits
    return bank_account(YUCHO, branch, kind, account, holder, allow_wo=allow_wo)


def _names(bank_code: str, branch_code: str, override: Override | None) -> tuple[tuple[str, str], str | None]:
    """The names of bank and branch, and the reason if they are an officer's and not the list's."""
    try:
        return (bank_name(bank_code), branch_name(bank_code, branch_code)), None
    except (UnknownBank, UnknownBranch):
        if override is None or (len(bank_code), len(branch_code)) != (BANK_DIGITS, BRANCH_DIGITS):
            raise
    reason = override.reason.strip()
    if not 1 <= len(reason) <= MAX_REASON_LENGTH:
        raise OverrideWithoutReason
    names = _required(override.bank_kana, FieldClass.BANK), _required(override.branch_kana, FieldClass.BANK)
    return names, reason


def _kind(kind: int) -> AccountKind:
    if isinstance(kind, bool):  # True would pass for 1, the ordinary account
        raise InvalidAccountKind
    try:
        return AccountKind(kind)
    except ValueError as wrong:
        raise InvalidAccountKind from wrong


def _required(text: str, kind: FieldClass, *, allow_wo: bool = False) -> str:
    converted = to_bank_text(text, kind, allow_wo=allow_wo)
    if not converted:
        raise BankTextEmpty
    return converted


def _digits(text: str) -> str:
    """The ASCII digits of a number as typed; empty when anything else stands in it."""
    folded = unicodedata.normalize("NFKC", text[:40])
    digits = "".join(character for character in folded if character not in _SPACE_AND_HYPHENS)
    return digits if digits.isascii() and digits.isdigit() else ""
