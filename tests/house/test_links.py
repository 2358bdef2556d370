"""What the documents point to inside the repository is there: a file that was renamed takes its readers along."""

import re
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)")


def dead_links(document: Path) -> list[str]:
    """The targets of a document's relative links that do not exist."""
    targets = _LINK.findall(document.read_text())
    return [target for target in targets if not (document.parent / unquote(target)).exists()]


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert len(documents) > 100
    dead = {str(each.relative_to(ROOT)): missing for each in documents if (missing := dead_links(each))}
    assert dead == {}


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "here.md").touch()
    document = tmp_path / "document.md"
    document.write_text(
        "[a](here.md) [b](here.md#part) [c](gone.md#part) ![d](no.svg) [e](#x) [f](https://example.org/x.md)"
    )
    assert dead_links(document) == ["gone.md", "no.svg"]
