"""Where a command writes to: told at once when nothing can be written there; a file is there whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import ClassVar

import typer

from services.kit.errors import Refusal


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
