"""Read a city's list of grants: CSV with the columns `wallet_number` and `points`, a line a person.

UTF-8 (a byte-order mark is allowed) with a header. All problems are reported together, each
with its line and column, and then nothing is applied.
"""

import codecs
import csv
import io
from dataclasses import dataclass

from services.kit.errors import Refusal
from services.kit.numbers import parse_number

COLUMNS = ("wallet_number", "points")
MAX_LINES = 20_000
MAX_POINTS = 1_000_000
"""Points of one grant to one person."""

ALONE = 0
"""The `line` of a grant that comes from no list."""

MAX_PROBLEMS = 50


class GrantListInvalid(Refusal):
    """`problems` names up to 50 places: line (the header is 1), column (from 1), and a code."""

    code = "grant_list_invalid"


@dataclass(frozen=True)
class GrantLine:
    """Points for one wallet; `line` is its place in the list, the header being line 1."""

    line: int
    wallet_number: str
    points: int


@dataclass(frozen=True)
class Problem:
    line: int
    column: int
    code: str


def refuse(problems: list[Problem]) -> GrantListInvalid:
    shown = [vars(problem) for problem in problems[:MAX_PROBLEMS]]
    return GrantListInvalid(count=len(problems), line=shown[0]["line"], column=shown[0]["column"], problems=shown)


def read_grants(content: bytes) -> tuple[GrantLine, ...]:
    """The lines of a list; GrantListInvalid if anything at all is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].removeprefix(codecs.BOM_UTF8)
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        place = Problem(before.count(b"\n") + 1, column, "not_utf8")
        raise refuse([place]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[GrantLine] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    try:
        header = next(reader, [])
        if tuple(cell.strip() for cell in header) != COLUMNS:
            raise refuse([Problem(1, 1, "header_wrong")])
        for cells in reader:
            found = _read_line(reader.line_num, cells, seen)
            (lines if isinstance(found, GrantLine) else problems).append(found)  # type: ignore[arg-type]
            if len(lines) > MAX_LINES:
                raise refuse([Problem(reader.line_num, 1, "too_many_lines")])
    except csv.Error as error:
        problems.append(Problem(reader.line_num, 1, "not_csv"))
        raise refuse(problems) from error
    if not lines and not problems:
        problems.append(Problem(2, 1, "no_lines"))
    if problems:
        raise refuse(problems)
    return tuple(lines)


def _read_line(line: int, cells: list[str], seen: set[str]) -> GrantLine | Problem:
    if len(cells) != len(COLUMNS):
        return Problem(line, min(len(cells), len(COLUMNS)) + 1 if len(cells) < len(COLUMNS) else 3, "cells_wrong")
    try:
        number = parse_number(cells[0], prefix="W")
    except Refusal:
        return Problem(line, 1, "wallet_number_wrong")
    digits = cells[1].strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 7 and 1 <= int(digits) <= MAX_POINTS):
        return Problem(line, 2, "points_wrong")
    if number in seen:
        return Problem(line, 1, "wallet_repeated")
    seen.add(number)
    return GrantLine(line, number, int(digits))
