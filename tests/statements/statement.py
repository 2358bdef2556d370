"""A statement, the tests that hold it, and the mutant: what the product says without the guard.

Law: a mutant takes away what one statement rests on and nothing else, and with it every test that the statement
names fails. Where two guards stand behind one another, both go: either alone would hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Edit:
    """`text`, which stands in the file exactly once, becomes `by`."""

    file: str
    text: str
    by: str


@dataclass(frozen=True)
class Mutant:
    """The edits of one mutant, and in words what it takes away."""

    takes_away: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Statement:
    """What must hold, in words; `tests` are node ids, each of which fails with the mutant."""

    says: str
    tests: tuple[str, ...]
    mutant: Mutant


@dataclass(frozen=True)
class Chapter:
    """Statements of one kind."""

    title: str
    statements: tuple[Statement, ...]


def without(takes_away: str, *edits: tuple[str, str, str]) -> Mutant:
    """A mutant of (file, text, by)."""
    return Mutant(takes_away, tuple(Edit(*edit) for edit in edits))


_HEADS: Final = "| statement | held by | fails when | where the guard stands |\n|---|---|---|---|\n"
HEADER: Final = """# Statements that must hold, each with its test and with what makes the test fail

`make statements` takes the guard of each line out of a copy of the project, runs the named tests there, and tells of
every one that does not fail; before that, of every one that fails as built. Only when there is none does it write this
page anew. `make statements ONLY="Business API"` tries these chapters alone and writes nothing. Between two runs of all,
a line comes to the table once its own tests were seen to fail without its guard. `make test-long` does the same as
`make statements`; `make test` looks whether every test is there and every guard still reads as it is written down
(`tests/statements`).
"""


def page(chapters: Sequence[Chapter]) -> str:
    """The table as a page of documentation."""
    parts = [HEADER]
    for chapter in chapters:
        parts.append(f"\n## {chapter.title}\n\n{_HEADS}")
        parts += [_line(each) for each in chapter.statements]
    return "".join(parts)


def _line(statement: Statement) -> str:
    tests = "<br>".join(f"`{test}`" for test in statement.tests)
    files = "<br>".join(f"`{name}`" for name in dict.fromkeys(edit.file for edit in statement.mutant.edits))
    return f"| {statement.says} | {tests} | {statement.mutant.takes_away} | {files} |\n"
