"""A function fits a screen, a file fits a sitting; when it no longer does, a noun is hiding inside."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTION_LINES = 60
FILE_LINES = 300
PACKAGES = ("services", "wallet_api", "merchant_api", "city_api", "analytics", "infra", "locales")


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "versions" not in path.parts:
                yield path


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path in sources()
        for node in functions(ast.parse(path.read_text()))
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_every_file_fits_a_sitting() -> None:
    long = [f"{path.relative_to(ROOT)} ({lines})" for path in sources() if (lines := _lines(path)) > FILE_LINES]
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in sources() if ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not silent, "\n".join(silent)


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
