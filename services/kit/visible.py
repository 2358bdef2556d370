"""Names for the eye: what is stored is what is seen, so that two names that look alike in a list are alike.

Law: nothing in a name is invisible, and marks sit on letters, a few at most. Kanji may carry a variation
selector, which is a mark: family registers need it.
Source: Unicode Standard, sections 5.21 (default ignorable code points) and 23.1 (controls and spaces).
"""

import unicodedata

MAX_MARKS = 4
"""On one letter. Vietnamese needs two, a kanji with its variation one; towers of them hide the line above."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
"""Letters, marks and signs that show nothing."""


def seen_name(text: str, limit: int) -> str | None:
    """The name as it is stored (NFC, one kind of narrow space, none at its ends), or None.

    None for what is empty, longer than `limit` characters, or hides something.
    """
    if len(text) > (MAX_MARKS + 1) * limit:
        return None
    spaced = "".join(" " if _is_narrow_space(sign) else sign for sign in unicodedata.normalize("NFC", text))
    name = spaced.strip()
    return name if 1 <= len(name) <= limit and _is_seen(name) else None


def _is_seen(name: str) -> bool:
    marks = MAX_MARKS  # as if a letter had all of its marks: none may stand at the beginning
    for sign in name:
        kind = unicodedata.category(sign)
        if kind in _HIDDEN or sign in _BLANK:
            return False
        marks = marks + 1 if kind[0] == "M" else 0
        if marks > MAX_MARKS:
            return False
    return True


def _is_narrow_space(sign: str) -> bool:
    return unicodedata.category(sign) == "Zs" and sign != "\u3000"
