"""Japanese public numbers: 法人番号 and the qualified-invoice registration number.

Law: a stored number is 13 ASCII digits whose check digit was verified (`T` before it for
invoices). Source: National Tax Agency, computed by `python-stdnum`.
"""

import unicodedata

from stdnum.exceptions import ValidationError
from stdnum.jp import cn

from services.kit.errors import Refusal

DIGITS = 13
MAX_TYPED_LENGTH = 40


class InvalidCorporateNumber(Refusal):
    """Not 13 digits, or the check digit (the first) does not fit the rest."""

    code = "corporate_number_invalid"


class InvalidInvoiceRegistration(Refusal):
    """Not `T` and 13 digits, or not the number that this corporation must have."""

    code = "invoice_registration_invalid"


def corporate_number(text: str) -> str:
    """The 13 digits of a 法人番号, typed in any width, with or without hyphens and spaces.

    The check digit is taken modulo 9, so it finds every single wrong digit except 0 for 9.
    Raises `InvalidCorporateNumber`.
    """
    digits = _digits(text)
    if digits is None:
        raise InvalidCorporateNumber
    try:
        return str(cn.validate(digits))
    except ValidationError as wrong:
        raise InvalidCorporateNumber from wrong


def invoice_registration(text: str, *, corporate: str | None = None) -> str:
    """The registration number of a qualified invoice issuer, as `T` and 13 digits.

    A corporation's number is `T` and its 法人番号 (`corporate`), digit for digit. For
    everybody else the agency assigns 13 digits of which it publishes no check rule, so
    only their form can be verified. Raises `InvalidInvoiceRegistration`.
    """
    if len(text) > MAX_TYPED_LENGTH:
        raise InvalidInvoiceRegistration
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    digits = _digits(folded[1:]) if folded.startswith("T") else None
    if digits is None or (corporate is not None and digits != corporate):
        raise InvalidInvoiceRegistration
    return f"T{digits}"


def _digits(text: str) -> str | None:
    """Thirteen ASCII digits, or nothing; over-long input is not even looked at."""
    if len(text) > MAX_TYPED_LENGTH:
        return None
    folded = unicodedata.normalize("NFKC", text)
    digits = "".join(character for character in folded if character not in " -\u2010\u2212ー")
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None
