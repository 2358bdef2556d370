"""Spellings of one name are one key; names that only look alike are two."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residency.names import (
    OLD_FORMS,
    birth_date,
    is_kana,
    kana_key,
    looks_like_individual_number,
    name_key,
    postal_code,
)

LETTERS = st.text(st.sampled_from("山田渡邉邊辺齋斎齊斉がガｶﾞは゜ゼ ｱAaＡé髙﨑\u3099\ufe00\U000e0100　"), max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("渡邊 花子", "渡辺花子"),
        ("渡邉　花子", "渡辺花子"),
        ("髙﨑 龍", "高崎竜"),
        ("ﾜﾀﾅﾍﾞ", "ワタナベ"),
        ("か\u3099", "が"),
        ("ＡＮＮ", "ann"),
        ("辻\U000e0100", "辻"),
        ("𠮷田", "吉田"),
        ("ｶ ﾞ", "ガ"),
        ("か\u3000゛", "が"),
    ],
)
def test_spellings_of_one_name_are_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("佐藤 太郎", "佐藤 大郎"),
        ("斎藤", "斉藤"),
        ("二", "ニ"),
        ("口", "ロ"),
        ("ann", "аnn"),
        ("カ", "力"),
        ("嶋", "嶌"),
        ("はは", "ぱぱ"),
        ("土井", "士井"),
        ("未来", "末来"),
    ],
)
def test_names_that_only_look_alike_stay_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_hiragana_and_half_width_are_read_as_katakana_and_small_kana_stay_small() -> None:
    assert kana_key("わたなべ はなこ") == kana_key("ﾜﾀﾅﾍﾞ ﾊﾅｺ") == "ワタナベハナコ"
    assert kana_key("キョウ") != kana_key("キヨウ")
    assert is_kana("ﾜﾀﾅﾍﾞ はなこ")
    assert not is_kana("渡辺")
    assert not is_kana(" ")


@given(LETTERS)
def test_a_key_is_its_own_key_and_the_form_of_the_text_does_not_matter(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)


def test_no_old_form_leads_to_another_and_each_is_one_letter() -> None:
    assert not set(OLD_FORMS) & set(OLD_FORMS.values())
    assert {len(sign) for sign in (*OLD_FORMS, *OLD_FORMS.values())} == {1}


def test_a_postal_code_is_seven_digits_in_any_width() -> None:
    assert postal_code("〒２５４－００４３") == postal_code("254ー0043") == postal_code("2540043") == "2540043"
    assert postal_code("254-004") is None
    assert postal_code("254004a") is None


def test_a_birth_date_is_a_day_that_exists() -> None:
    assert birth_date("1950/04/01") == birth_date("１９５００４０１") == birth_date("1950-04-01") == date(1950, 4, 1)
    for wrong in ("1950-02-30", "1899-12-31", "50-04-01", "", "1950-W14-1", "1950-4-1", "tomorrow"):
        assert birth_date(wrong) is None, wrong


def test_twelve_digits_are_taken_for_an_individual_number() -> None:
    assert looks_like_individual_number("1234-5678-9012")
    assert looks_like_individual_number("１２３４５６７８９０１２")
    assert not looks_like_individual_number("12345678901")
    assert not looks_like_individual_number("A23456789012")
