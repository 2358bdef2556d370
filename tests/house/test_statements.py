"""Every statement on the database stands in a package's tables; what others may borrow stands in its clauses."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAY_SPEAK_SQL = {"tables", "clauses", "payee_clauses", "kit", "proof"}
ERRORS_ONLY = "sqlalchemy.exc"


def test_no_statement_stands_outside_tables() -> None:
    strays = []
    for path in sorted((ROOT / "services").rglob("*.py")):
        parts = set(path.relative_to(ROOT / "services").with_suffix("").parts)
        if parts & MAY_SPEAK_SQL:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = _imported(node)
            if any(name.startswith("sqlalchemy") and name != ERRORS_ONLY for name in names):
                strays.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert not strays, "\n".join(strays)


def test_nothing_is_loaded_lazily() -> None:
    for path in sorted((ROOT / "services").rglob("*.py")):
        assert "relationship(" not in path.read_text(), path


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
