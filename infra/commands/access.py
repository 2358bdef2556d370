"""`tanabata access`: write who may do what, for review."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import create_async_engine

from infra.access.matrix import places
from infra.access.page import page
from infra.commands.openapi import NOWHERE
from infra.console import out
from infra.keys import make_keys
from infra.town import build_town
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy


def access(file: Annotated[Path, typer.Argument(help="Where the page goes.")] = Path("docs/access.md")) -> None:
    """Write the matrix of routes and callers; a route without an entry is an error."""
    file.write_text(document(), encoding="utf-8")
    out.print(str(file))


def document() -> str:
    """The page as the code has it now. Raises EntryMissing."""
    database = Database(create_async_engine(NOWHERE), OffsetClock(), SecretEntropy())
    town = build_town(database, make_keys(), public_url="http://localhost:8000")
    try:
        return page(places(town.plain))
    finally:
        town.checkout.close()
