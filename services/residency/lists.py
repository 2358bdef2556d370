"""Read the city's lists: its register of residents, and which postal code lies in which district.

CSV in UTF-8 (a byte-order mark is allowed) with a header. All problems are reported together, each with its line,
its column and a word of what is wrong, and then nothing is taken over. A cell that could be a 個人番号 refuses the
list, and the cell itself is never repeated in an answer.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from services.kit.errors import Refusal
from services.kit.visible import seen_name
from services.residency import names

REGISTER_COLUMNS = ("reference", "name", "kana", "birth_date", "postal_code")
DISTRICT_COLUMNS = ("postal_code", "district")
MAX_LINES = 300_000
"""Lines of a register: a city of that many people. A longer list is somebody else's file."""
MAX_PROBLEMS = 50
MAX_REFERENCE_LENGTH = 20

T = TypeVar("T")


class ResidentListInvalid(Refusal):
    """`problems` names up to 50 places: line (the header is 1), column (from 1), and a code."""

    code = "resident_list_invalid"


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell; `other_line` is the earlier line that says the same."""

    line: int
    column: int
    code: str
    other_line: int | None = None


@dataclass(frozen=True)
class Registered:
    """A resident as the city's register has them; `reference` is the city's own number for the line."""

    reference: str
    name: str = field(repr=False)
    kana: str = field(repr=False)
    born_on: date = field(repr=False)
    postal_code: str = field(repr=False)


@dataclass(frozen=True)
class District:
    postal_code: str
    district: str


class _Wrong(Exception):
    def __init__(self, column: int, code: str) -> None:
        super().__init__(code)
        self.column, self.code = column, code


def read_register(content: bytes, today: date) -> tuple[Registered, ...]:
    """The residents of a list; ResidentListInvalid if anything at all is wrong with it.

    The same reference twice is one line too many, and so are two lines with one name, birth date and postal code.
    Names that only look alike are two people.
    """
    found: list[Registered] = []
    problems: list[Problem] = []
    references: dict[str, int] = {}
    people: dict[tuple[str, date, str], int] = {}
    for line, read in _rows(content, REGISTER_COLUMNS, lambda cells: _registered(cells, today)):
        if isinstance(read, Problem):
            problems.append(read)
            continue
        person = (names.name_key(read.name), read.born_on, read.postal_code)
        if read.reference in references:
            problems.append(Problem(line, 1, "reference_repeated", references[read.reference]))
        elif person in people:
            problems.append(Problem(line, 2, "person_repeated", people[person]))
        references.setdefault(read.reference, line)
        people.setdefault(person, line)
        found.append(read)
    return _whole(found, problems)


def read_districts(content: bytes) -> tuple[District, ...]:
    """Which postal code lies in which district; ResidentListInvalid if anything is wrong."""
    found: list[District] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, read in _rows(content, DISTRICT_COLUMNS, _district):
        if isinstance(read, Problem):
            problems.append(read)
        elif read.postal_code in seen:
            problems.append(Problem(line, 1, "postal_code_repeated", seen[read.postal_code]))
        else:
            seen[read.postal_code] = line
            found.append(read)
    return _whole(found, problems)


def _whole(found: list[T], problems: list[Problem]) -> tuple[T, ...]:
    if not found and not problems:
        problems = [Problem(2, 1, "no_lines")]
    if problems:
        raise list_refusal(problems)
    return tuple(found)


def list_refusal(problems: list[Problem]) -> ResidentListInvalid:
    """The refusal of a list with these problems, at least one."""
    shown = [
        {name: value for name, value in vars(problem).items() if value is not None}
        for problem in problems[:MAX_PROBLEMS]
    ]
    return ResidentListInvalid(count=len(problems), line=shown[0]["line"], column=shown[0]["column"], problems=shown)


def _rows(
    content: bytes, columns: tuple[str, ...], read: Callable[[list[str]], T]
) -> Iterator[tuple[int, T | Problem]]:
    """Every line's number with what it says, or with what is wrong with it."""
    text = _text(content)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    count = 0
    try:
        if tuple(cell.strip() for cell in next(reader, [])) != columns:
            raise list_refusal([Problem(1, 1, "header_wrong")])
        for cells in reader:
            count += 1
            if count > MAX_LINES:
                raise list_refusal([Problem(reader.line_num, 1, "too_many_lines")])
            try:
                yield reader.line_num, _read_line(cells, len(columns), read)
            except _Wrong as wrong:
                yield reader.line_num, Problem(reader.line_num, wrong.column, wrong.code)
    except csv.Error as error:
        raise list_refusal([Problem(reader.line_num, 1, "not_csv")]) from error


def _read_line(cells: list[str], width: int, read: Callable[[list[str]], T]) -> T:
    if len(cells) != width:
        raise _Wrong(min(len(cells), width) + 1, "cells_wrong")
    for column, cell in enumerate(cells, 1):
        if names.looks_like_individual_number(cell):
            raise _Wrong(column, "individual_number")
    return read(cells)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].removeprefix(codecs.BOM_UTF8)
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise list_refusal([Problem(before.count(b"\n") + 1, column, "not_utf8")]) from error


def _registered(cells: list[str], today: date) -> Registered:
    reference = cells[0].strip()
    if not (1 <= len(reference) <= MAX_REFERENCE_LENGTH and reference.isascii() and reference.isalnum()):
        raise _Wrong(1, "reference_wrong")
    name, kana = seen_name(cells[1], names.MAX_NAME_LENGTH), seen_name(cells[2], names.MAX_NAME_LENGTH)
    if name is None or not names.name_key(name):
        raise _Wrong(2, "name_wrong")
    if kana is None or not names.is_kana(kana):
        raise _Wrong(3, "kana_wrong")
    born_on, postal_code = names.birth_date(cells[3]), names.postal_code(cells[4])
    if born_on is None or born_on > today:
        raise _Wrong(4, "birth_date_wrong")
    if postal_code is None:
        raise _Wrong(5, "postal_code_wrong")
    return Registered(reference, name, kana, born_on, postal_code)


def _district(cells: list[str]) -> District:
    postal_code, district = names.postal_code(cells[0]), seen_name(cells[1], names.MAX_NAME_LENGTH)
    if postal_code is None:
        raise _Wrong(1, "postal_code_wrong")
    if district is None:
        raise _Wrong(2, "district_wrong")
    return District(postal_code, district)
