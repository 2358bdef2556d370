"""`tanabata openapi`: write the three APIs' documents, as the server serves them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import create_async_engine

from infra.console import out
from infra.keys import make_keys
from infra.town import build_town
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy

NOWHERE = "postgresql+asyncpg:///none"
"""The documents need no database; the engine never connects."""


def openapi(folder: Annotated[Path, typer.Argument(help="Where the documents go.")] = Path("docs/openapi")) -> None:
    """Write wallet.json, merchant.json and city.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (folder / f"{name}.json").write_text(document, encoding="utf-8")
        out.print(f"{folder / name}.json")


def documents() -> dict[str, str]:
    """Each API's OpenAPI document as text, by the API's name."""
    engine = create_async_engine(NOWHERE)
    town = build_town(Database(engine, OffsetClock(), SecretEntropy()), make_keys(), public_url="http://localhost:8000")
    apis = {"wallet": town.plain.routes[0], "merchant": town.plain.routes[1], "city": town.plain.routes[2]}
    texts = {
        name: json.dumps(mount.app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"  # type: ignore[attr-defined]
        for name, mount in apis.items()
    }
    town.checkout.close()
    return texts
