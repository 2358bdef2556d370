"""A member of staff's own number, as the personnel office gives it: what makes two accounts one person.

Law: it has one stored form however it is typed, so that nobody becomes two people by a space or a zero too many.
"""

import re
import unicodedata

from services.kit.errors import Refusal

MAX_TYPED_LENGTH = 40
_STORED = re.compile(r"[0-9A-Z]{1,20}")
_BETWEEN = frozenset("-‐‑‒–—―−ー・./ ")


class StaffNumberMalformed(Refusal):
    """Not 1 to 20 letters and digits; spaces, hyphens, zeros in front and the width of signs do not count."""

    code = "staff_number_malformed"


def staff_number(text: str) -> str:
    """The stored form of a staff number. Raises `StaffNumberMalformed`."""
    folded = unicodedata.normalize("NFKC", text[:MAX_TYPED_LENGTH]).upper()
    signs = "".join(sign for sign in folded if sign not in _BETWEEN and not sign.isspace())
    stored = signs.lstrip("0") or signs[:1]
    if len(text) > MAX_TYPED_LENGTH or _STORED.fullmatch(stored) is None:
        raise StaffNumberMalformed
    return stored
