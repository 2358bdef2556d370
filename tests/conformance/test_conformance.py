"""The fifteen invariants, run as `tanabata conformance` runs them, and the page that it wrote."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.conformance.run import examine, tripped_by
from infra.conformance.table import ROWS, Row, Verdict, page
from infra.database.migrate import named
from infra.database.provision import DatabaseHandle

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@pytest.fixture
def template(database_server: DatabaseHandle, template_database: str) -> DatabaseHandle:
    return replace(
        database_server,
        app_url=named(database_server.app_url, template_database),
        migrator_url=named(database_server.migrator_url, template_database),
    )


@each_row
async def test_it_holds_and_would_not_without_what_holds_it(row: Row, template: DatabaseHandle) -> None:
    verdict = await examine(template, row)
    assert verdict.as_built is None
    assert verdict.with_mutant is not None


@pytest.mark.long
@each_row
async def test_a_mutant_trips_its_own_invariant_and_no_other(row: Row, template: DatabaseHandle) -> None:
    assert await tripped_by(template, row) == [row.name]


def test_there_are_fifteen() -> None:
    assert len({row.name for row in ROWS}) == len({row.mutant for row in ROWS}) == 15


def test_the_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page([Verdict(row, None, "broken") for row in ROWS])
