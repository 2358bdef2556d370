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
"""A line with another number of cells than the header has a cell of this name, which says how many; a column that
the header leaves without a name, as a sheet's empty last one, is none."""

Lines = list[tuple[int, dict[str, str]]]


def lines_of(content: bytes, columns: Sequence[str], optional: str, unreadable: type[Refusal]) -> Lines:
    """Each line's number (from 1, the header's) and its cells, stripped; of the declared columns all, empty if missing.

    `columns` stand in the header once each, `optional` at most once. Raises `unreadable` with `problem` `size` (with
    `most`, in MB), `encoding`, `header` (with `column`), `rows` (with `most`) or `format`.
    """
    if len(content) > MOST_BYTES:
        raise unreadable(problem="size", column="", most=MOST_BYTES // 1_000_000)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        raise unreadable(problem="encoding", column="") from failed
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        for name in (*columns, optional):
            if header.count(name) > 1 or (name != optional and name not in header):
                raise unreadable(problem="header", column=name)
        rows: Lines = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MOST_ROWS:
                raise unreadable(problem="rows", column="", most=MOST_ROWS)
            named = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
            surplus = {} if len(cells) == len(header) else {SURPLUS: str(len(cells))}
            rows.append((reader.line_num, dict.fromkeys(columns, "") | named | surplus))
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
