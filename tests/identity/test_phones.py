"""One phone, written in more than eighty ways, is one account; what hides or guesses is refused."""

import pytest

from services.identity.people import PhoneMalformed, phone_number

STORED = "+819012345678"
_HYPHENS = "-‐‑‒–—―⁃−﹘﹣－ーｰ"
_SPACES = " \u00a0\u2009\u202f\u3000"
_FULL = str.maketrans("0123456789+()-. ", "０１２３４５６７８９＋（）－．　")


def ways() -> set[str]:
    """Every separator, with and without the country, in both widths; and what else people do."""
    found = {
        "(090)1234-5678", "(090) 1234 5678", "090(1234)5678", "+81(90)12345678", "090-12345678", "0901234-5678",
        "090 1234-5678", "090--1234--5678", "0 9 0 1 2 3 4 5 6 7 8", "09-01-23-45-67-8", " 090-1234-5678 ",
        "010-81-90-1234-5678", "81-90-1234-5678", "０９０-1234-5678", "090-１２３４-5678", "+８１-90-1234-5678",
    }  # fmt: skip
    for separator in [*_HYPHENS, *_SPACES, "", "."]:
        for parts in (("090", "1234", "5678"), ("+81", "90", "1234", "5678"), ("+81", "(0)90", "1234", "5678")):
            found.add(separator.join(parts))
    return found | {way.translate(_FULL) for way in found}


WAYS = sorted(ways())


def test_there_are_more_than_eighty() -> None:
    assert len(WAYS) > 80


@pytest.mark.parametrize("typed", WAYS, ids=ascii)
def test_each_is_the_same_phone(typed: str) -> None:
    assert phone_number(typed) == STORED


@pytest.mark.parametrize(
    "typed",
    [
        "٠٩٠١٢٣٤٥٦٧٨",  # digits of other scripts are somebody else's keyboard, not a slip
        "०९०१२३४५६७८",
        "𝟎𝟗𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖",
        "⓪⑨⓪①②③④⑤⑥⑦⑧",
        "O9O-1234-5678",
        "０9０-l234-5678",
        "090-1234-567\u0338",
        "0\u03019\u03010\u0301-1234-5678",
        "090-1234\u200b-5678",
        "\u202a090-1234-5678\u202c",
        "\ufeff090-1234-5678",
        "090-1234-5678\x00",
        "090-1234\n-5678",
        "090-1234\t5678",
        "090/1234/5678",
        "090・1234・5678",
        "090-1234-5678, 090-1234-5679",
        "090-1234-5678 (自宅)",
        "０９０ー１２３４ー５６７８９",
        "゛090-1234-5678",
        "+" + "0" * 39,
    ],
    ids=ascii,
)
def test_what_could_be_another_number_is_not_guessed(typed: str) -> None:
    with pytest.raises(PhoneMalformed):
        phone_number(typed)
