"""What an audit finds: one line a law, with what must be and what is.

A law over many rows is counted (how many rows must hold, how many do), so that an audit that
looked at nothing shows a zero. A law over a programme's books is a figure in yen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WHOLE: Final = ""
NEVER: Final = None


@dataclass(frozen=True)
class Check:
    """One law: `expected` and `found` are rows or yen; `example` names one that breaks it."""

    name: str
    expected: int
    found: int
    example: str | None = None

    @property
    def ok(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True)
class Proof:
    """All laws, in the order of the money's way: books, wallets, payments, settlement, guards.

    An incremental proof says since when, and names the laws that it did not ask: they count neither
    as holding nor as broken.
    """

    checks: tuple[Check, ...]
    since: datetime | None = None
    not_asked: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def broken(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    def plain(self) -> dict[str, object]:
        """The form that reports and the command line share: numbers, names and truth values only."""
        said: dict[str, object] = {
            "clean": self.clean,
            "checks": [
                {"name": check.name, "expected": check.expected, "found": check.found, "ok": check.ok}
                for check in self.checks
            ],
        }
        if self.since is None:
            return said
        return said | {"since": self.since.isoformat(), "not_asked": list(self.not_asked)}


@dataclass(frozen=True)
class Theme:
    """Laws that read the same tables, asked in one statement.

    `common` holds the shared parts of a WITH clause. Each of `facts` selects (subject, holds), one
    row for everything that must hold. Each of `figures` selects (subject, expected, found) in yen,
    one row a programme.

    `scope` is how an incremental proof asks: parts of a WITH clause that stand before `common` and
    give tables' names to their new rows and what belongs to these, as `Since.narrow` says. WHOLE
    where looking at everything costs little, NEVER where only everything tells. `whole` stands in
    the place of `scope` when everything is asked. `is_much`, narrowed like `scope`, asks whether so much is new that
    asking of everything costs less; then that is done.
    """

    common: str
    facts: Mapping[str, str]
    figures: Mapping[str, str]
    scope: str | None
    whole: str = ""
    is_much: str | None = None

    @property
    def laws(self) -> tuple[str, ...]:
        return (*self.facts, *self.figures)

    def question(self, scope: str = "") -> str:
        """The statement that answers every law of the theme: name, expected, found, example."""
        asked = [_COUNTED % (name, query) for name, query in self.facts.items()]
        asked += [_SUMMED % (name, query) for name, query in self.figures.items()]
        joined = "\nUNION ALL\n".join(asked)
        parts = ",".join(part.rstrip() for part in (scope, self.common) if part)
        return f"WITH {parts}\n{joined}" if parts else joined


_COUNTED = """
SELECT '%s' AS name, count(*)::bigint AS expected, count(*) FILTER (WHERE holds)::bigint AS found,
       min(subject::text) FILTER (WHERE holds IS NOT TRUE) AS example
  FROM (%s) AS fact
"""

_SUMMED = """
SELECT '%s', coalesce(CASE WHEN agree THEN total_expected ELSE worst_expected END, 0)::bigint,
       coalesce(CASE WHEN agree THEN total_found ELSE worst_found END, 0)::bigint,
       CASE WHEN NOT agree THEN worst_subject END
  FROM (SELECT bool_and(expected = found) AS agree,
               sum(expected) AS total_expected, sum(found) AS total_found,
               (array_agg(expected ORDER BY abs(expected - found) DESC))[1] AS worst_expected,
               (array_agg(found ORDER BY abs(expected - found) DESC))[1] AS worst_found,
               (array_agg(subject::text ORDER BY abs(expected - found) DESC))[1] AS worst_subject
          FROM (%s) AS figure) AS figures
"""
"""Totals while every programme agrees; else the figures of the one that is furthest off."""
