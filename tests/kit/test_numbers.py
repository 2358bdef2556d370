"""The check character finds every slip of one sign and every exchange of neighbours."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.numbers import (
    ALPHABET,
    MAX_BODY,
    MIN_BODY,
    NumberMalformed,
    NumberMistyped,
    NumberOfOtherKind,
    check_character,
    display_number,
    make_number,
    number_space,
    parse_number,
)

QR_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
LENGTHS = st.integers(MIN_BODY, MAX_BODY)
PREFIXES = st.sampled_from("SRPWT")


@st.composite
def numbers(draw: st.DrawFn) -> str:
    length = draw(LENGTHS)
    return make_number(draw(PREFIXES), draw(st.integers(0, number_space(length) - 1)), length)


def next_residue(residue: int, value: int) -> int:
    """One step of the check, found from outside: which check sign follows a one-sign state.

    The state after a text is the value of its check character, so the step function over
    all 32 × 32 pairs can be tabulated through the public function alone.
    """
    return ALPHABET.index(check_character(STATE_TEXT[residue] + ALPHABET[value]))


STATE_TEXT = {ALPHABET.index(check_character(sign)): sign for sign in ALPHABET}
"""A text of one sign for each of the 32 states."""


def test_every_state_can_be_reached_so_the_table_of_steps_is_whole() -> None:
    assert set(STATE_TEXT) == set(range(32))


def test_no_single_wrong_sign_is_ever_missed() -> None:
    """Proof by exhaustion: each step is one-to-one in the sign and in the state before it.

    A wrong sign makes the state differ (first claim), and a difference never dies away
    through the signs that follow (second claim), so it reaches the check. 1,024 steps each.
    """
    states = range(32)
    for fixed in states:
        assert len({next_residue(fixed, value) for value in states}) == 32
        assert len({next_residue(state, fixed) for state in states}) == 32


def test_no_exchange_of_neighbours_is_ever_missed() -> None:
    """Exhaustion over all states and all ordered pairs of different signs: 31,744 exchanges."""
    step = [[next_residue(state, value) for value in range(32)] for state in range(32)]
    for state in range(32):
        for first in range(32):
            for second in range(32):
                if first != second:
                    assert step[step[state][first]][second] != step[step[state][second]][first]


@given(numbers())
def test_every_slip_in_a_real_number_is_refused(number: str) -> None:
    slips = [
        number[:place] + sign + number[place + 1 :]
        for place in range(len(number))
        for sign in ALPHABET
        if sign != number[place]
    ] + [
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for place, (one, other) in enumerate(pairwise(number))
        if one != other
    ]
    for slip in slips:
        with pytest.raises(NumberMistyped):
            parse_number(slip)


def test_the_alphabet_can_be_read_aloud_and_fits_the_small_qr_mode() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)
    assert set(ALPHABET) <= QR_ALPHANUMERIC
    assert set(display_number(make_number("S", 0, 8))) <= QR_ALPHANUMERIC


@given(numbers())
def test_a_number_is_read_back_from_every_way_to_write_it(number: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
    spoken = display_number(number).replace("0", "O").replace("1", "l").replace("-", " － ")
    for typed in (number, number.lower(), wide, wide.lower(), display_number(number), spoken, f"  {number}\n"):
        assert parse_number(typed, prefix=number[0]) == number


@given(PREFIXES, LENGTHS, st.data())
def test_different_entropy_makes_different_numbers(prefix: str, length: int, data: st.DataObject) -> None:
    entropies = data.draw(st.lists(st.integers(0, number_space(length) - 1), unique=True, max_size=20))
    assert len({make_number(prefix, entropy, length) for entropy in entropies}) == len(entropies)


def test_a_number_is_what_it_always_was() -> None:
    assert make_number("S", 0, 8) == "S00000000" + check_character("S00000000")
    assert display_number(make_number("S", 123_456_789, 8)) == "S-003N-QK8N-9"


@pytest.mark.parametrize(
    "typed", ["", "S", "S1234", "U" * 9, "S12345é8", "ß" * 8, "ı" * 9, "Ｓ田中", "S" * 80, "S.1234567"]
)
def test_what_cannot_be_a_number_is_refused_as_malformed(typed: str) -> None:
    with pytest.raises(NumberMalformed):
        parse_number(typed)


def test_a_receipt_is_not_taken_for_a_store() -> None:
    receipt = make_number("R", 5, 8)
    with pytest.raises(NumberOfOtherKind) as refused:
        parse_number(receipt, prefix="S")
    assert refused.value.params == {"expected": "S", "found": "R"}
    with pytest.raises(NumberMistyped):
        parse_number("S" + receipt[1:])


@pytest.mark.parametrize(
    ("prefix", "entropy", "length"),
    [("I", 0, 8), ("", 0, 8), ("SS", 0, 8), ("S", -1, 8), ("S", 32**8, 8), ("S", 0, 3), ("S", 0, 21)],
)
def test_a_number_is_made_only_from_its_own_space(prefix: str, entropy: int, length: int) -> None:
    with pytest.raises(ValueError, match=r"prefix|entropy|body"):
        make_number(prefix, entropy, length)
