"""Every statement has its tests and its guard; `make test-long` takes each guard away and sees the tests fail."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.statements.statement import Statement, page
from tests.statements.table import CHAPTERS, PAGE, STATEMENTS
from tests.statements.tree import ROOT, copied, mutated, run

each_statement = pytest.mark.parametrize("statement", STATEMENTS, ids=[each.says for each in STATEMENTS])


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_statement_names_tests_that_are_there() -> None:
    named = [test.partition("::") for each in STATEMENTS for test in each.tests]
    missing = [f"{file}::{name}" for file, _, name in named if name.partition("[")[0] not in names_in(file)]
    assert not missing, "\n".join(missing)
    assert all(each.tests for each in STATEMENTS)


def test_every_guard_stands_where_it_is_said_to_and_once() -> None:
    astray = [
        f"{each.says}: {edit.file}: {edit.text}"
        for each in STATEMENTS
        for edit in each.mutant.edits
        if (ROOT / edit.file).read_text(encoding="utf-8").count(edit.text) != 1 or edit.text == edit.by
    ]
    assert not astray, "\n".join(astray)
    assert all(each.mutant.edits for each in STATEMENTS)


def test_no_guard_is_in_the_tests_themselves() -> None:
    """A mutant changes the product, and what is left of it can still be read."""
    for each in STATEMENTS:
        for edit in each.mutant.edits:
            assert not edit.file.startswith(("tests/", "docs/")), each.says
            if edit.file.endswith(".py"):
                whole = (ROOT / edit.file).read_text(encoding="utf-8")
                ast.parse(whole.replace(edit.text, edit.by))


def test_no_statement_is_said_twice() -> None:
    assert len({each.says for each in STATEMENTS}) == len({each.mutant.edits for each in STATEMENTS}) == len(STATEMENTS)


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(CHAPTERS)


@pytest.mark.long
@each_statement
def test_the_tests_of_a_statement_fail_without_its_guard(statement: Statement) -> None:
    with copied() as copy:
        assert set(statement.tests) <= run(copy, statement.tests).passed
        with mutated(copy, statement.mutant):
            assert set(statement.tests) <= run(copy, statement.tests).failed


def test_a_copy_holds_what_the_project_holds_and_a_mutant_leaves_it_whole() -> None:
    statement = STATEMENTS[0]
    with copied() as copy:
        files = {edit.file: (copy / edit.file).read_bytes() for edit in statement.mutant.edits}
        assert files == {name: (ROOT / name).read_bytes() for name in files}
        with mutated(copy, statement.mutant):
            assert all((copy / name).read_bytes() != whole for name, whole in files.items())
        assert all((copy / name).read_bytes() == whole for name, whole in files.items())
    assert not Path(copy).exists()
