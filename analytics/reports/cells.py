"""Cells of a workbook in one language: text that stays text, and the formats that all sheets of a book share."""

from typing import Any, Final

from analytics.charts.data import Say

FONT: Final = "Yu Gothic"
HEAD: Final = {"bold": True, "bottom": 1, "bg_color": "#f1f1f1", "text_wrap": True, "valign": "top"}
"""Of a column's heading."""


class Cells:
    """Writes into sheets of `book`; `say` gives the words."""

    def __init__(self, book: Any, say: Say) -> None:
        self.book, self.say = book, say
        self._forms: dict[tuple[tuple[str, Any], ...], Any] = {}

    def form(self, **properties: Any) -> Any:
        """A cell's format; the same properties are the same format."""
        key = tuple(sorted(properties.items()))
        if key not in self._forms:
            self._forms[key] = self.book.add_format({"font_name": FONT, **properties})
        return self._forms[key]

    def text(self, sheet: Any, row: int, column: int, text: str, **properties: Any) -> None:
        """Text, whatever it begins with, marked so that it stays text when somebody edits the cell."""
        sheet.write_string(row, column, text, self.form(quote_prefix=True, **properties))


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: a full-width sign takes two."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)
