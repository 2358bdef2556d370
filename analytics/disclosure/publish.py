"""Publish open data: figures, budget, package, and the line in the file of releases, in this order."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

from analytics.disclosure.open_data import OpenData, Wish, open_data
from analytics.disclosure.package import Words, require_free, write_package
from analytics.disclosure.releases import opened
from analytics.lake.lake import Source

EPSILON: Final = Fraction(1, 2)
"""Of one table."""
BUDGET: Final = Fraction(15)
"""Of a programme: two packages, one while it runs and one at its end (decision 63)."""


def publish(
    source: Source,
    wish: Wish,
    key: bytes,
    into: Path,
    ledger: Path,
    words: dict[str, Words],
    now: datetime,
    budget: Fraction = BUDGET,
) -> tuple[OpenData, Fraction]:
    """A package in `into`, and what is left of the programme's budget (epsilon).

    `key` is the city's secret: whoever has it can take the noise away. Publishing the same figures again under the
    same key gives the same bytes and costs nothing. Raises PrivacyBudgetSpent, PackageExists, AttackSucceeded,
    ReleasesBroken, ProgrammeUnknown, PeriodEmpty; then nothing is published and nothing spent.
    """
    require_free(into)
    with opened(ledger) as releases:
        data = open_data(source, wish, key, releases.known)
        mine = [table.release for table in data.tables]
        releases.afford(wish.programme, mine, budget)
        write_package(into, data, words, record=lambda: releases.add(mine, now))
        return data, budget - releases.spent(wish.programme)
