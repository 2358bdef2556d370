"""`python -m infra.database.as_sql FOLDER`: each migration as the SQL it will run, a file apiece.

Apart, because the linter must see a table that an earlier migration made as one that is in use.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from infra.database.migrate import config


def write(folder: Path) -> list[Path]:
    """Write `0001.sql` and so on into the folder; returns the files, oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for revision in reversed(list(ScriptDirectory.from_config(config()).walk_revisions())):
        path = folder / f"{revision.revision}.sql"
        with path.open("w", encoding="utf-8") as file:
            settings = config()
            settings.output_buffer = file
            command.upgrade(settings, f"{revision.down_revision or 'base'}:{revision.revision}", sql=True)
        written.append(path)
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1]))
