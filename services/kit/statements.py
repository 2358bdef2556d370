"""Statements of the hot path: built once, compiled once, sent with the fewest steps in between.

SQLAlchemy builds them, so their tables and types are checked like all others. But walking a compiled
statement through its machinery costs more than PostgreSQL needs to run it. Where the transaction
allows (`Tx.driver`), the compiled text goes to the driver itself; elsewhere it goes the ordinary way
and answers the same rows.

Law: what a statement takes and answers has one form both ways: ids, numbers, texts, dates and
instants. JSON is passed and read as text, by a cast in the statement.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Executable
from sqlalchemy.dialects.postgresql import asyncpg

from services.kit.array_text import Writer, array_text, writer_for
from services.kit.db import Tx

_DIALECT: Any = asyncpg.dialect()  # type: ignore[no-untyped-call]
_ARRAY = re.compile(r"(\$\d+)(::[A-Za-z ]+\[\])")
"""A place for a list in a compiled statement: `$1::UUID[]`; its value goes as text, `$1::text::UUID[]`."""


@dataclass(frozen=True)
class _Compiled:
    """The statement, its text for the driver, and for each place the parameter's name and how a list is written."""

    executable: Executable
    text: str
    places: tuple[tuple[str, Writer | None], ...]
    fixed: Mapping[str, Any]


class Statement:
    """A statement that `build` makes when it is first needed; its values come at each execution."""

    def __init__(self, build: Callable[[], Executable]) -> None:
        self._build = build
        self._compiled: _Compiled | None = None

    async def rows(self, tx: Tx, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row of the answer, columns by their place."""
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = _compile(self._build())
        if tx.driver is None:
            answer = await tx.connection.execute(compiled.executable, values)
            return answer.all() if answer.returns_rows else ()
        given = {**compiled.fixed, **values}
        arguments = [
            given[name] if writer is None else array_text(given[name], writer) for name, writer in compiled.places
        ]
        found: Sequence[Sequence[Any]] = await tx.driver.fetch(compiled.text, *arguments)
        return found


def _compile(executable: Any) -> _Compiled:
    compiled = executable.compile(dialect=_DIALECT)
    places = []
    for name in compiled.positiontup or ():
        kind = compiled.binds[name].type
        places.append((name, writer_for(kind.item_type) if isinstance(kind, ARRAY) else None))
    text, arrays = _ARRAY.subn(r"\1::text\2", compiled.string)
    if arrays != sum(writer is not None for _, writer in places):
        raise AssertionError("a list's place in the statement was not recognised")
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return _Compiled(executable, text, tuple(places), fixed)
