"""Addresses have one spelling; what has none is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.people import (
    AccountReasonMissing,
    EmailMalformed,
    PersonNameInvalid,
    PhoneMalformed,
    PhoneNotJapanese,
    PhoneUnusable,
    Role,
    RolesInvalid,
    account_reason,
    city_roles,
    email_address,
    person_name,
    phone_number,
)
from services.kit.errors import Refusal


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("09012345678", "+819012345678"),
        ("090-1234-5678", "+819012345678"),
        ("０９０－１２３４－５６７８", "+819012345678"),
        ("090ー1234ー5678", "+819012345678"),
        ("(090) 1234 5678", "+819012345678"),
        ("+81 90 1234 5678", "+819012345678"),
        ("＋８１　９０　１２３４　５６７８", "+819012345678"),
        ("080-1234-5678", "+818012345678"),
        ("07012345678", "+817012345678"),
        ("0463-23-1111", "+81463231111"),
        ("03-1234-5678", "+81312345678"),
        ("050-1234-5678", "+815012345678"),
    ],
)
def test_a_japanese_number_has_one_stored_form(typed: str, stored: str) -> None:
    assert phone_number(typed) == stored
    assert phone_number(stored) == stored


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", PhoneMalformed),
        ("090", PhoneMalformed),
        ("090-1234-567", PhoneMalformed),
        ("090-1234-56789", PhoneMalformed),
        ("000-0000-0000", PhoneMalformed),
        ("110", PhoneMalformed),
        ("+", PhoneMalformed),
        ("++8190", PhoneMalformed),
        ("090-ABCD-EFGH", PhoneMalformed),
        ("0463231111 ext 5", PhoneMalformed),
        ("0463231111;ext=5", PhoneMalformed),
        ("tel:09012345678", PhoneMalformed),
        ("٠٩٠١٢٣٤٥٦٧٨", PhoneMalformed),
        ("090-1234\n-5678", PhoneMalformed),
        ("0" * 100_000, PhoneMalformed),
        ("+1 415 555 2671", PhoneNotJapanese),
        ("+82 10 1234 5678", PhoneNotJapanese),
        ("0120-123-456", PhoneUnusable),
        ("0800-123-4567", PhoneUnusable),
        ("0570-000-000", PhoneUnusable),
        ("0990-123456", PhoneUnusable),
        ("020-1234-5678", PhoneUnusable),
    ],
)
def test_what_is_nobodys_line_is_refused_by_name(typed: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        phone_number(typed)


@given(st.sampled_from("789"), st.integers(0, 9_999_999), st.sampled_from(["", "-", " ", "ー", "－"]))
def test_grouping_never_makes_a_second_number(head: str, body: int, separator: str) -> None:
    digits = f"{head}01{body:07d}"
    plain = phone_number("0" + digits)
    assert plain == f"+81{digits}"
    assert phone_number(f"0{digits[:2]}{separator}{digits[2:6]}{separator}{digits[6:]}") == plain


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_phone(text: str) -> None:
    try:
        stored = phone_number(text)
    except (PhoneMalformed, PhoneNotJapanese, PhoneUnusable):
        return
    assert phone_number(stored) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Hanako.Ito@Example.JP", "hanako.ito@example.jp"),
        (" clerk+1@shop.example.co.jp ", "clerk+1@shop.example.co.jp"),
        ("ｃｌｅｒｋ＠ｅｘａｍｐｌｅ．ｊｐ", "clerk@example.jp"),
        ("a@b-c.example", "a@b-c.example"),
        ("a@xn--eckwd4c7c.xn--zckzah", "a@xn--eckwd4c7c.xn--zckzah"),
    ],
)
def test_an_email_address_has_one_stored_form(typed: str, stored: str) -> None:
    assert email_address(typed) == stored
    assert email_address(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "@example.jp",
        "a@",
        "a@localhost",
        "a@example..jp",
        "a@-example.jp",
        "a@example.1",
        ".a@example.jp",
        "a..b@example.jp",
        "a b@example.jp",
        "a@b@example.jp",
        '"a"@example.jp',
        "花子@example.jp",
        "a@例え.jp",
        "a@example.jp\r\nBcc: b@example.jp",
        "\u212aen@example.jp",  # a Kelvin sign is not a k: it would be somebody else's address
        "ad\ufb01@example.jp",  # nor is a ligature two letters
        "a" * 65 + "@example.jp",
        "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 63 + ".jp",
        "a" * 100_000,
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(EmailMalformed):
        email_address(typed)


@pytest.mark.parametrize("typed", ["", "   ", "a" * 61, "a\u202eb", "a\x00b", "a\nb", "\ud800", "a" * 100_000])
def test_a_name_that_hides_something_is_refused(typed: str) -> None:
    with pytest.raises(PersonNameInvalid) as refused:
        person_name(typed)
    assert refused.value.params == {"limit": 60}


def test_a_name_keeps_its_letters() -> None:
    assert person_name("　伊藤 花子 ") == "伊藤 花子"
    assert person_name("か\u3099") == "が"


def test_the_auditor_audits_alone() -> None:
    assert city_roles((Role.OFFICER, Role.APPROVER, Role.OFFICER)) == (Role.APPROVER, Role.OFFICER)
    assert city_roles((Role.AUDITOR,)) == (Role.AUDITOR,)
    wrong: list[tuple[Role, ...]] = [(), (Role.RESIDENT,), (Role.OFFICER, Role.MERCHANT), (Role.AUDITOR, Role.OFFICER)]
    for roles in wrong:
        with pytest.raises(RolesInvalid):
            city_roles(roles)


def test_a_reason_is_given() -> None:
    assert account_reason(" left the office ") == "left the office"
    for text in ("", " ", "x" * 501):
        with pytest.raises(AccountReasonMissing):
            account_reason(text)
