"""`python -m infra.database.rights FILE`: which role may do what with which table, as the database says it.

The file is reviewed by people; a test tries every cell of it over connections of each role, so that
neither the file nor the grants can say what is not so.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.database.provision import open_scratch_database
from infra.database.server_files import ANALYST, APP, AUDITOR, MIGRATOR
from infra.settings import Settings

ROLES: Final = (APP, AUDITOR, ANALYST, MIGRATOR)
NOTHING: Final = "–"

SECRETS: Final[Mapping[tuple[str, str], str]] = {
    ("account", "password_hash"): "a password could be guessed against it, away from our limits on tries",
    ("card", "pin_mac"): "with the key, ten thousand PINs are tried in no time",
    ("care_code", "mac"): "with the key, a code that somebody has heard is known by it",
    ("clerk_pin", "invitation_id"): "with the key, it is the code by which a PIN is chosen",
    ("clerk_pin", "pin_hash"): "with the key, ten thousand PINs are tried in a quarter of an hour",
    ("registry_letter", "mac"): "with the key, it tells whether a code is the letter's",
    ("block_code", "secret_hash"): "the ten signs of a printed code could be guessed against it",
    ("passkey_challenge", "challenge"): "whoever knows it first could have another's authenticator sign it",
    ("recovery_code", "mac"): "with the key, a code that somebody found is known by it",
    ("second_factor", "sealed_secret"): "with the key, it makes the codes of its owner's authenticator",
    ("session", "family_hash"): "it shows whose session a token belongs to that somebody has found",
    ("session", "turn_hash"): "it shows which of the tokens that somebody has copied still works",
    ("sign_in_attempt", "sealed_secret"): "the same, before it is enrolled",
    ("sign_in_code", "code_mac"): "with the key, a million codes are tried in a second",
}
"""What no auditor reads, and why. Everything else they do read."""

COLUMNS: Final = """
SELECT c.relname, a.attname, r.name,
       has_column_privilege(r.name, c.oid, a.attname, 'SELECT'),
       has_column_privilege(r.name, c.oid, a.attname, 'INSERT'),
       has_column_privilege(r.name, c.oid, a.attname, 'UPDATE'),
       has_table_privilege(r.name, c.oid, 'DELETE'),
       has_table_privilege(r.name, c.oid, 'TRUNCATE'),
       has_table_privilege(r.name, c.oid, 'TRIGGER')
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 CROSS JOIN unnest(CAST(:roles AS text[])) AS r (name)
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = current_schema()::regnamespace
 ORDER BY c.relname, a.attnum
"""

GUARDED: Final = """
SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
 WHERE f.proname = 'refuse_change' AND t.tgtype = 58 AND c.relnamespace = current_schema()::regnamespace
"""

HEAD: Final = """# Who may do what in the database

Made by `make rights` from a database that the migrations have built; `tests/house/test_rights.py` tries every
cell over a connection of that role. **A new table comes with its row here**: read the difference before you
commit it. `read` and `alter` with names mean these columns only; `alter` is a change of rows, `shape` one of the
table, its guards and rights.

- `tanabata_app`: what serves people. It removes nothing, and what the money and the audit log say it only adds to.
- `tanabata_auditor`: `tanabata prove` and `tanabata audit verify`. It reads all but secrets and alters nothing.
- `tanabata_analyst`: evaluation. It sees no table; views without names are made for it.
- `tanabata_migrator` (or whoever owns the schema): runs migrations. Even it meets the triggers of tables that are
  written once; taking these away is a change of shape.
"""


async def document(connection: AsyncConnection, owner: str) -> str:
    """The file's text; `owner` is the role that the migrations ran as."""
    names = {MIGRATOR: owner}
    asked = [names.get(role, role) for role in ROLES]
    rows = (await connection.execute(text(COLUMNS), {"roles": asked})).all()
    guarded = set((await connection.execute(text(GUARDED))).scalars())
    cells: dict[tuple[str, str], list[Sequence[object]]] = defaultdict(list)
    for row in rows:
        cells[row[0], row[2]].append(tuple(row))
    lines = [HEAD, f"| table | {' | '.join(f'`{role}`' for role in ROLES)} |", "|---|---|---|---|---|"]
    for table in sorted({row[0] for row in rows}):
        said = [_cell(cells[table, role], guarded=table in guarded) for role in asked]
        lines.append(f"| `{table}` | {' | '.join(said)} |")
    lines += ["", "What the auditor does not read:", ""]
    lines += [f"- `{table}.{column}`: {why}" for (table, column), why in SECRETS.items()]
    return "\n".join(lines) + "\n"


def _cell(columns: Sequence[Sequence[object]], *, guarded: bool) -> str:
    """What a role may do with one table, from its rows of COLUMNS; the owner meets the trigger of `guarded` ones."""
    guarded = guarded and bool(columns[0][8])
    words = []
    for word, place in (("read", 3), ("alter", 5)):
        allowed = [str(column[1]) for column in columns if column[place]]
        if allowed and not (guarded and word == "alter"):
            words.append(word if len(allowed) == len(columns) else f"{word}: {', '.join(allowed)}")
    if any(column[4] for column in columns):
        words.insert(1 if words else 0, "add")
    first = columns[0]
    for word, place in (("delete", 6), ("truncate", 7)):
        if first[place] and not guarded:
            words.append(word)
    if first[8]:
        words.append("shape")
    return "; ".join(words) or NOTHING


async def _written_by_scratch() -> str:
    async with open_scratch_database(Settings.from_env(os.environ)) as handle:
        engine = handle.migrator_engine()
        try:
            async with engine.connect() as connection:
                owner = (await connection.execute(text("SELECT current_user"))).scalar_one()
                return await document(connection, owner)
        finally:
            await engine.dispose()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(_written_by_scratch()), encoding="utf-8")
