"""What leaves the conversion is permitted, byte for byte; everything else is refused by place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.kana import (
    MAX_TEXT_LENGTH,
    BankTextTooLong,
    FieldClass,
    NotBankCharacter,
    byte_length,
    decode,
    encode,
    permitted,
    to_bank_text,
    truncate,
)

KANA_BYTES = frozenset(range(0xB1, 0xE0))
LATIN_BYTES = frozenset(b" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
BYTES = {
    FieldClass.BANK: KANA_BYTES | LATIN_BYTES | frozenset(b"-"),
    FieldClass.PARTY: KANA_BYTES | LATIN_BYTES | frozenset(b"()-."),
    FieldClass.EDI: KANA_BYTES | LATIN_BYTES | frozenset(b"\\()-/.") | {0xA6, 0xA2, 0xA3},
}
"""Written from the format's own table of bytes, not from the product's characters."""

TYPED = st.text(
    st.sampled_from("カガパぱぴゃッゥーａＺz９ 　-－‐−ｰﾞﾟ゛゜ｶﾊｳ（).「」￥\\/ヲゐヷ田·'é\u3099\u309a") | st.characters(),
    max_size=60,
)
FIELDS = st.sampled_from(FieldClass)


def converted_or_none(text: str, field: FieldClass) -> str | None:
    try:
        return to_bank_text(text, field)
    except NotBankCharacter:
        return None


@pytest.mark.parametrize("field", FieldClass)
def test_the_permitted_characters_are_the_bytes_of_the_format(field: FieldClass) -> None:
    assert {encode(character)[0] for character in permitted(field)} == BYTES[field]


@given(TYPED, FIELDS)
def test_what_is_converted_holds_only_bytes_of_its_class(text: str, field: FieldClass) -> None:
    converted = converted_or_none(text, field)
    if converted is not None:
        assert set(encode(converted)) <= BYTES[field]
        assert decode(encode(converted)) == converted


@given(TYPED, FIELDS)
def test_converted_text_is_converted_to_itself(text: str, field: FieldClass) -> None:
    converted = converted_or_none(text, field)
    if converted is not None:
        assert to_bank_text(converted, field) == converted


@given(TYPED, FIELDS)
def test_a_refusal_names_the_character_that_stands_at_its_position(text: str, field: FieldClass) -> None:
    try:
        to_bank_text(text, field)
    except NotBankCharacter as refusal:
        position = refusal.params["position"]
        assert text[position - 1] == refusal.params["character"]
        converted_before = converted_or_none(text[: position - 1], field)
        assert converted_before is not None, "the first such character is the one that is named"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ひらつか", "ﾋﾗﾂｶ"),
        ("ガギグゲゴ", "ｶﾞｷﾞｸﾞｹﾞｺﾞ"),
        ("ぱピプ", "ﾊﾟﾋﾟﾌﾟ"),
        ("か\u3099", "ｶﾞ"),
        ("か゛は゜", "ｶﾞﾊﾟ"),
        ("ショッピング", "ｼﾖﾂﾋﾟﾝｸﾞ"),
        ("ァィゥェォヮヵヶ", "ｱｲｳｴｵﾜｶｹ"),
        ("ぁぃぅぇぉゎ", "ｱｲｳｴｵﾜ"),
        ("ヴァイオリン", "ｳﾞｱｲｵﾘﾝ"),
        ("ｬｭｮｯ", "ﾔﾕﾖﾂ"),
        ("ー‐−－ｰ-", "------"),
        ("（カ）ほし", "(ｶ)ﾎｼ"),
        ("Ｓｔａｒ　２０２０", "STAR 2020"),
        ("  たなばた  ", "ﾀﾅﾊﾞﾀ"),
    ],
)
def test_names_are_written_as_banks_write_them(typed: str, expected: str) -> None:
    assert to_bank_text(typed, FieldClass.PARTY) == expected


@pytest.mark.parametrize(
    ("typed", "character", "position"),
    [
        ("田中", "田", 1),
        ("ヤマ田", "田", 3),
        ("ガガ商", "商", 3),
        ("アヰ", "ヰ", 2),
        ("アヱ", "ヱ", 2),
        ("ヷ", "ヷ", 1),
        ("ヸ", "ヸ", 1),
        ("ア・イ", "・", 2),
        ("ｱ･ｲ", "･", 2),
        ("ア,イ", ",", 2),
        ("アﾞ", "ﾞ", 2),
        ("ﾞ", "ﾞ", 1),
        ("カﾞﾞ", "ﾞ", 3),
        ("サﾟ", "ﾟ", 2),
        ("㈱ホシ", "㈱", 1),
        ("Cafe\u0301", "\u0301", 5),
        ("é", "é", 1),
        ("ア—イ", "—", 2),
        ("ア\nイ", "\n", 2),
        ("㍿ホシ", "㍿", 1),
        ("ヲノ", "ヲ", 1),
        ("ア/イ", "/", 2),
        ("٣", "٣", 1),
    ],
)
def test_what_has_no_permitted_form_is_refused_with_its_place(typed: str, character: str, position: int) -> None:
    with pytest.raises(NotBankCharacter) as refused:
        to_bank_text(typed, FieldClass.PARTY)
    assert refused.value.params == {"character": character, "position": position}


def test_wo_in_a_name_takes_a_decision_and_is_free_in_edi() -> None:
    assert to_bank_text("ヲノ", FieldClass.PARTY, allow_wo=True) == "ｦﾉ"
    assert to_bank_text("をの", FieldClass.EDI) == "ｦﾉ"
    with pytest.raises(NotBankCharacter):
        to_bank_text("ｦﾉ", FieldClass.BANK)


def test_each_class_of_field_has_its_own_symbols() -> None:
    assert to_bank_text("￥「Ａ」（／．", FieldClass.EDI) == "\\｢A｣(/."
    assert encode("\\｢A｣(/.") == b"\x5c\xa2A\xa3(/."
    for symbol in "().":
        with pytest.raises(NotBankCharacter):
            to_bank_text(symbol, FieldClass.BANK)
    for symbol in "\\｢/":
        with pytest.raises(NotBankCharacter):
            to_bank_text(symbol, FieldClass.PARTY)


def test_a_voiced_kana_counts_two_bytes() -> None:
    assert byte_length(to_bank_text("ガ", FieldClass.PARTY)) == 2
    assert byte_length(to_bank_text("カ", FieldClass.PARTY)) == 1


@given(TYPED, st.integers(0, 40))
def test_a_cut_never_parts_a_kana_from_its_mark(text: str, limit: int) -> None:
    whole = converted_or_none(text, FieldClass.PARTY)
    if whole is not None:
        cut = truncate(whole, limit)
        assert whole.startswith(cut)
        assert byte_length(cut) <= limit
        assert whole[len(cut) :].lstrip(" ")[:1] not in ("ﾞ", "ﾟ")


@pytest.mark.parametrize(
    ("typed", "limit", "expected"),
    [("カガ", 2, "ｶ"), ("カガ", 3, "ｶｶﾞ"), ("ガ", 1, ""), ("カパカ", 3, "ｶﾊﾟ"), ("カ カ", 2, "ｶ"), ("カ", 0, "")],
)
def test_a_cut_keeps_all_that_fits(typed: str, limit: int, expected: str) -> None:
    assert truncate(to_bank_text(typed, FieldClass.PARTY), limit) == expected


def test_endless_text_is_not_even_looked_at() -> None:
    with pytest.raises(BankTextTooLong):
        to_bank_text("ア" * (MAX_TEXT_LENGTH + 1), FieldClass.PARTY)
    assert to_bank_text("ア" * MAX_TEXT_LENGTH, FieldClass.PARTY) == "ｱ" * MAX_TEXT_LENGTH


def test_text_that_was_not_converted_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="single-byte"):
        encode("ア")
