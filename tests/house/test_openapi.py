"""The OpenAPI documents in docs/ are the ones that the server serves: `make openapi` after a change."""

from pathlib import Path

from infra.commands.openapi import documents

FOLDER = Path(__file__).parents[2] / "docs" / "openapi"


def test_the_written_documents_are_the_served_ones() -> None:
    for name, document in documents().items():
        assert (FOLDER / f"{name}.json").read_text() == document, f"make openapi ({name})"
