"""Corporate and invoice numbers: what is stored was verified digit for digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.japan import (
    InvalidCorporateNumber,
    InvalidInvoiceRegistration,
    corporate_number,
    invoice_registration,
)

NATIONAL_TAX_AGENCY = "7000012050002"


def checked(twelve: str) -> str:
    """The rule as the format states it: 9 − (Σ PₙQₙ mod 9), Q = 1, 2, 1, 2 … from the right."""
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(twelve)))
    return f"{9 - total % 9}{twelve}"


TWELVE = st.text("0123456789", min_size=12, max_size=12)


@given(TWELVE)
def test_a_number_made_by_the_stated_rule_is_accepted(twelve: str) -> None:
    assert corporate_number(checked(twelve)) == checked(twelve)


@given(TWELVE, st.integers(0, 12), st.sampled_from("0123456789"))
def test_every_single_wrong_digit_is_found_except_zero_for_nine(twelve: str, place: int, digit: str) -> None:
    right = checked(twelve)
    wrong = right[:place] + digit + right[place + 1 :]
    if digit != right[place] and {digit, right[place]} != {"0", "9"}:
        with pytest.raises(InvalidCorporateNumber):
            corporate_number(wrong)


@pytest.mark.parametrize(
    "typed", ["7000012050002", "7-0000-1205-0002", "７００００１２０５０００２", " 7 0000 1205 0002 "]
)
def test_the_tax_agency_is_accepted_as_people_write_it(typed: str) -> None:
    assert corporate_number(typed) == NATIONAL_TAX_AGENCY


@pytest.mark.parametrize(
    "typed", ["", "700001205000", "70000120500020", "T7000012050002", "7000012050003", "0" * 13, "٧" * 13, "x" * 90]
)
def test_what_is_no_corporate_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidCorporateNumber):
        corporate_number(typed)


@pytest.mark.parametrize(
    "typed", ["T7000012050002", "t7000012050002", "Ｔ７００００１２０５０００２", "T7-0000-1205-0002"]
)
def test_an_invoice_number_is_t_and_thirteen_digits(typed: str) -> None:
    assert invoice_registration(typed) == "T7000012050002"
    assert invoice_registration(typed, corporate=NATIONAL_TAX_AGENCY) == "T7000012050002"


def test_a_corporation_has_no_other_invoice_number_than_its_own() -> None:
    with pytest.raises(InvalidInvoiceRegistration):
        invoice_registration("T1234567890123", corporate=NATIONAL_TAX_AGENCY)
    assert invoice_registration("T1234567890123") == "T1234567890123"


@pytest.mark.parametrize(
    "typed",
    ["", "T", "7000012050002", "T700001205000", "TT7000012050002", "T70000120500021", "T" + "1" * 90, "T" + "٧" * 13],
)
def test_what_is_no_invoice_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInvoiceRegistration):
        invoice_registration(typed)


def test_nothing_is_cut_off_to_make_a_number_fit() -> None:
    with pytest.raises(InvalidInvoiceRegistration):
        invoice_registration("T7000012050002" + " " * 40 + "and more")
