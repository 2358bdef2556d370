"""The code in the city's letter: who can read it lives where the letter went.

Law: a code is kept only as an HMAC under a key that the database does not know, bound to the entry of the
register that the letter was written to. The code itself follows from that key, the entry and how many letters
the entry has had, so the file for the printer can be made again, byte for byte, and an earlier letter's code is
worth nothing once another was sent. Eight random signs, 40 bits, and a check character that finds slips of the
hand before a try is lost.
"""

import hmac

from services.kit.numbers import make_number, number_space, parse_number

PREFIX, LENGTH = "K", 8
MIN_KEY_BYTES = 32


def letter_code(key: bytes, reference: str, issue: int) -> str:
    """The code of an entry's letter number `issue` (the first is 1), in stored form."""
    drawn = hmac.digest(_checked(key), f"letter\0{issue}\0{reference}".encode(), "sha256")
    return make_number(PREFIX, int.from_bytes(drawn[:16]) % number_space(LENGTH), LENGTH)


def read_letter_code(text: str) -> str:
    """A code as a person typed it, in stored form. Raises the refusals of `parse_number`, which cost no try."""
    return parse_number(text, prefix=PREFIX)


def letter_mac(key: bytes, reference: str, code: str) -> bytes:
    """HMAC-SHA256 of the entry and its code: what is kept. Raises ValueError for a key that is too short."""
    return hmac.digest(_checked(key), f"entry\0{reference}\0{code}".encode(), "sha256")


def letter_fits(key: bytes, reference: str, code: str, stored: bytes) -> bool:
    """Whether this is the code of that entry's last letter, in the same time for every wrong one."""
    return hmac.compare_digest(letter_mac(key, reference, code), stored)


def _checked(key: bytes) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of letter codes has at least 32 bytes")
    return key
