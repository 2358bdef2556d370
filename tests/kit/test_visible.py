"""What is stored of a name is what is seen of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.visible import MAX_MARKS, seen_name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("　伊藤 花子 ", "伊藤 花子"),
        ("伊藤　花子", "伊藤　花子"),
        ("か\u3099き\u3099", "がぎ"),
        ("ハ\u309a", "パ"),
        ("葛\U000e0100飾", "葛\U000e0100飾"),
        ("𠮷野家", "𠮷野家"),
        ("髙﨑", "髙﨑"),
        ("Nguye\u0302\u0303n", "Nguy\u1ec5n"),
        ("山\u00a0田\u2009太郎", "山 田 太郎"),
        ("O'Brien-佐藤", "O'Brien-佐藤"),
    ],
)
def test_a_name_is_kept_as_people_write_it(typed: str, stored: str) -> None:
    assert seen_name(typed, 60) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "　",
        "\u3164",
        "\u2800\u2800",
        "\u115f\u1160",
        "\uffa0",
        "花\u200b子",
        "花\u2060子",
        "花\ufeff子",
        "花\u00ad子",
        "花\u202e子",
        "花\u034f子",
        "花\u2028子",
        "花\x00子",
        "花\ud800",
        "花\U000e0041子",
        "\u0301花子",
        " \u3099花子",
        "花" + "\u0301" * (MAX_MARKS + 1),
        "花" * 61,
        "花" + " " * 1_000 + "hidden behind spaces",
    ],
)
def test_a_name_that_hides_something_or_nothing_at_all_is_refused(typed: str) -> None:
    assert seen_name(typed, 60) is None


@given(st.text(max_size=80))
def test_a_stored_name_is_its_own_stored_form(text: str) -> None:
    stored = seen_name(text, 60)
    if stored is not None:
        assert seen_name(stored, 60) == stored
        assert stored == unicodedata.normalize("NFC", stored).strip()


@given(st.text(alphabet="かきくはひふがぎぐばびぶぱぴぷ", min_size=1, max_size=20))
def test_two_ways_to_spell_what_looks_the_same_are_one_name(text: str) -> None:
    assert seen_name(unicodedata.normalize("NFD", text), 60) == seen_name(text, 60) == text
