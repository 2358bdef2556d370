"""The dated list of Japanese banks and branches (`zengin-code`), and the forms of a bank file's fields.

Law: a name that leaves this module is the list's, in permitted half-width characters; what
the list does not have is refused together with the day of the list.

The list is read when it is first asked, or by `load_banks`: it has 30,000 branches, and most commands ask for none.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any, Final

from services.kit.errors import Refusal
from services.kit.kana import BankTextTooLong, FieldClass, NotBankCharacter, byte_length, to_bank_text

BANK_DIGITS: Final = 4
BRANCH_DIGITS: Final = 3
NUMBER_DIGITS: Final = 7


class UnknownBank(Refusal):
    """The list of `as_of` has no bank with the code `bank_code`."""

    code = "bank_unknown"


class UnknownBranch(Refusal):
    """The list of `as_of` has no branch `branch_code` of the bank `bank_code`."""

    code = "branch_unknown"


def load_banks() -> None:
    """Read the list now, so that nobody who asks waits for it."""
    _list()


def bank_data_date() -> date:
    """The day of the installed list of banks and branches, to be shown beside every answer."""
    stamp = _list().__version__.rsplit(".", 1)[1]
    return datetime.strptime(stamp, "%Y%m%d").date()  # noqa: DTZ007 - a civil date, no instant


def bank_name(bank_code: str) -> str:
    """The bank's name in half-width kana, at most 15 bytes; raises `UnknownBank`."""
    bank = _banks().get(bank_code)
    if bank is None:
        raise UnknownBank(bank_code=bank_code, as_of=bank_data_date().isoformat())
    return _list_name(bank.kana)


def branch_name(bank_code: str, branch_code: str) -> str:
    """The branch's name in half-width kana; raises `UnknownBank`, `UnknownBranch`."""
    bank_name(bank_code)
    branch = _banks()[bank_code].branches.get(branch_code)
    if branch is None:
        raise UnknownBranch(bank_code=bank_code, branch_code=branch_code, as_of=bank_data_date().isoformat())
    return _list_name(branch.kana)


def is_bank(bank_code: str) -> bool:
    """Whether the list has a bank with this code."""
    return bank_code in _banks()


def is_branch(bank_code: str, branch_code: str) -> bool:
    """Whether the list has this branch of this bank."""
    return is_bank(bank_code) and branch_code in _banks()[bank_code].branches


def is_number(text: str, digits: int) -> bool:
    """Whether a text is exactly so many ASCII digits: a number field as a bank file holds it."""
    return len(text) == digits and text.isascii() and text.isdigit()


def fits_field(text: str, field: FieldClass, limit: int) -> bool:
    """Whether a name as typed becomes permitted text of at most `limit` bytes, so that nothing is cut off."""
    try:
        return byte_length(to_bank_text(text, field)) <= limit
    except (NotBankCharacter, BankTextTooLong):
        return False


@cache
def _list() -> Any:
    return import_module("zengin_code")


def _banks() -> Mapping[str, Any]:
    found: Mapping[str, Any] = _list().Bank.all
    return found


def _list_name(kana: str) -> str:
    """A name of the list in permitted characters.

    Fifteen foreign banks are listed with a full stop between words, which the table for
    bank names does not have; a space says the same. The codes decide, not the names.
    """
    return to_bank_text(kana.replace("．", " "), FieldClass.BANK)
