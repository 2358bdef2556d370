"""Where a command writes to: told at once when nothing can be written there, not after minutes of work."""

import tempfile
from pathlib import Path

import typer


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
