"""A city's own CSV as lines of named cells: UTF-8 with a header, bounded, refused whole only where no line can be read.

What a line says is judged by whoever declared the columns; here a line has as many cells as the header, or says so.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from services.kit.errors import Refusal

MOST_BYTES: Final = 20_000_000
MOST_ROWS: Final = 200_000
SURPLUS: Final = ""
"""A line with another number of cells than the header has a cell of this name."""

Lines = list[tuple[int, dict[str, str]]]


def lines_of(content: bytes, columns: Sequence[str], unreadable: type[Refusal]) -> Lines:
    """Each line's number (from 1, the header's) and its cells, stripped; of the declared columns all, empty if missing.

    Raises `unreadable` with `problem` `size`, `encoding`, `header` (with `column`), `rows` or `format`.
    """
    if len(content) > MOST_BYTES:
        raise unreadable(problem="size", column="")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        raise unreadable(problem="encoding", column="") from failed
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        for name in columns:
            if header.count(name) != 1:
                raise unreadable(problem="header", column=name)
        rows: Lines = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MOST_ROWS:
                raise unreadable(problem="rows", column="")
            filled = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            surplus = len(cells) != len(header)
            rows.append(
                (reader.line_num, dict.fromkeys(columns, "") | filled | ({SURPLUS: "cells"} if surplus else {}))
            )
    except csv.Error as failed:
        raise unreadable(problem="format", column="") from failed
    return rows


def amount_fault(text: str, most: int) -> str | None:
    """Why a cell is no amount of whole yen in ASCII digits, up to `most`; None if it is one."""
    if not text:
        return "empty"
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return "no_number"
    if text.startswith("-"):
        return "negative"
    return "too_large" if len(digits) > 18 or int(digits) > most else None
