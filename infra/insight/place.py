"""Where a command writes to: told at once when nothing can be written there; a file is there whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import typer

from infra.settings import Settings
from services.kit.errors import Refusal

if TYPE_CHECKING:
    from analytics.lake.manifest import Manifest


class PlaceUnwritable(Refusal):
    """A file could not be written: `place`, and the `problem` in the system's words. What stood there stays."""

    code: ClassVar[str] = "place_unwritable"


def folder_to_write_in(folder: Path, asked: Path) -> None:
    """Make the folder where it is missing, and try it. Raises typer.BadParameter, which names what was `asked` for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"nothing can be written to {asked} ({error.strerror or error})", param_hint="--into"
        ) from None


def put_in_place(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there. Raises PlaceUnwritable; then nothing of it is left behind."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise PlaceUnwritable(place=str(path), problem=error.strerror or str(error)) from error


def releases_of(root: Path, manifest: "Manifest", settings: Settings) -> Path:
    """The file of releases beside which what is made of the lake in `root` is laid: see docs/decisions/0136.

    A lake that no refresh read from the books, as an invented city, tells nothing of this city's people: what is
    published of it stands in a file beside that lake, and not in the city's own.
    """
    from analytics.lake.refresh import END  # noqa: PLC0415 - loads pandas

    of_books = END in manifest.marks or root.resolve() == settings.lake_dir.resolve()
    return (settings.data_dir if of_books else root.absolute().parent) / "releases.jsonl"
