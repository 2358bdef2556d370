"""Text for files that people open in a spreadsheet, which would run what looks like a formula.

A sheet drops blanks before it decides, and a Japanese one takes the full-width signs for the narrow ones.
"""

import re
from typing import Final

_FORMULA: Final = re.compile(r"[\t\r\n]|[\s\ufeff\u200b]*[=+\-@＝＋－＠]")  # the full-width signs are meant


def neutral(text: str) -> str:
    """Text that a spreadsheet takes for text: an apostrophe before what it would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
