"""Short numbers that people read aloud, copy and type, with a character that finds slips.

Law: a number is a prefix, a body (random, or a day and then random) and one check character over 32 signs without
I, L, O and U. The check is Damm's over GF(32): the running value is multiplied by x in
GF(2)[x]/(x^5 + x^2 + 1) and the next sign added. Both steps are one-to-one, so every
single wrong sign changes the result; and x ≠ 1, so does every exchange of neighbours.
The prefix takes part: a receipt's number is never taken for a store's.
Source: H. M. Damm, Total anti-symmetrische Quasigruppen (Marburg 2004), example 5.2.
"""

import unicodedata

from services.kit.errors import Refusal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 signs: all in the alphanumeric mode of QR symbols."""

SIGN_BITS = 5
MIN_BODY, MAX_BODY = 4, 20
MAX_TYPED_LENGTH = 64
GROUP = 4

_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_LOOK_ALIKES = str.maketrans("OIL", "011")
_REDUCTION = 0b100101
_SEPARATORS = frozenset("-\u2010\u2012\u2013\u2014\u2015\u2212ー")
"""Hyphens, dashes, the minus and the long-vowel sign: all are typed between groups."""


class NumberMalformed(Refusal):
    """No number of ours could look like this: a foreign sign, or too short or too long."""

    code = "number_malformed"


class NumberMistyped(Refusal):
    """The check character does not fit: a sign is wrong or two are exchanged."""

    code = "number_mistyped"


class NumberOfOtherKind(Refusal):
    """A number of ours, but of something else: its prefix is `found`, not `expected`."""

    code = "number_of_other_kind"


def number_space(length: int) -> int:
    """How many bodies of `length` signs exist; the entropy of one is drawn below this."""
    if not MIN_BODY <= length <= MAX_BODY:
        raise ValueError("the body of a number has 4 to 20 signs")
    return 1 << SIGN_BITS * length


def make_number(prefix: str, entropy: int, length: int) -> str:
    """A number in its stored form: the sign `prefix`, `length` signs of `entropy`, the check.

    `entropy` is a random integer, 0 <= entropy < `number_space(length)`; equal entropy
    gives an equal number. Raises `ValueError` for arguments outside: a programming error.
    """
    if prefix not in _VALUE or len(prefix) != 1:
        raise ValueError("a prefix is one sign of the alphabet")
    if not 0 <= entropy < number_space(length):
        raise ValueError("entropy is drawn from the number space of its length")
    number, check = prefix, _TIMES_X[_VALUE[prefix]]
    for shift in range(SIGN_BITS * (length - 1), -1, -SIGN_BITS):
        value = entropy >> shift & 31
        number += ALPHABET[value]
        check = _TIMES_X[check ^ value]
    return number + ALPHABET[check]


def check_character(signs: str) -> str:
    """The one sign that makes `signs` and itself a valid number; signs of `ALPHABET` only."""
    return ALPHABET[_residue(signs)]


def parse_number(text: str, *, prefix: str | None = None) -> str:
    """The stored form of a number as a person typed it.

    Forgives width, case, spaces, hyphens of every kind and look-alikes (O for 0, I and L
    for 1). Raises `NumberMalformed`, `NumberMistyped`, or `NumberOfOtherKind` when a valid
    number does not begin with the expected `prefix`.
    """
    if len(text) > MAX_TYPED_LENGTH:
        raise NumberMalformed
    folded = unicodedata.normalize("NFKC", text)
    bare = "".join(sign for sign in folded if not sign.isspace() and sign not in _SEPARATORS)
    if not bare.isascii():
        raise NumberMalformed
    number = bare.upper().translate(_LOOK_ALIKES)
    if not MIN_BODY <= len(number) - 2 <= MAX_BODY or any(sign not in _VALUE for sign in number):
        raise NumberMalformed
    if _residue(number) != 0:
        raise NumberMistyped
    if prefix is not None and number[0] != prefix:
        raise NumberOfOtherKind(expected=prefix, found=number[0])
    return number


def display_number(number: str) -> str:
    """A stored number for the eye and the ear: prefix and groups of four, by hyphens."""
    rest = number[1:]
    groups = [rest[start : start + GROUP] for start in range(0, len(rest), GROUP)]
    return "-".join([number[0], *groups])


def _residue(signs: str) -> int:
    """Damm's running value over GF(32), in the range 0 to 31; 0 for a valid number."""
    value = 0
    for sign in signs:
        value = _TIMES_X[value ^ _VALUE[sign]]
    return value


_TIMES_X = tuple(value << 1 if value < 16 else value << 1 ^ _REDUCTION for value in range(32))
"""The product with x in GF(2)[x]/(x^5 + x^2 + 1)."""
