"""`tanabata districts FILE`: which postal code lies in which district, by the city's own list."""

import os
from pathlib import Path
from typing import Annotated

import typer

import locales
from infra.console import complain, out, run, tell
from infra.database.provision import open_database
from infra.settings import Settings
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.residency.hand_over import DistrictsLoaded, LoadDistricts, load_districts
from services.residency.lists import ResidentListInvalid


def districts(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with the header postal_code,district.", dir_okay=False)],
    language: Annotated[str, typer.Option(help="ja, en or ja-simple.")] = "ja",
) -> None:
    """Put postal codes into districts; codes that the list does not name stay where they are."""
    content = file.read_bytes()
    try:
        loaded = run(lambda: _load(content))
    except ResidentListInvalid as refusal:
        for problem in refusal.params["problems"]:
            place = locales.text(language, "list.place", line=problem["line"], column=problem["column"])
            complain(f"{place} {locales.text(language, 'list.problem.' + problem['code'])}")
        raise typer.Exit(1) from None
    out.print(locales.text(language, "list.districts", **vars(loaded)))


async def _load(content: bytes) -> DistrictsLoaded:
    async with open_database(Settings.from_env(os.environ), tell) as handle:
        engine = handle.app_engine(pool_size=1)
        try:
            database = Database(engine, OffsetClock(), SecretEntropy())
            return await database.transact(load_districts, LoadDistricts(None, content))
        finally:
            await engine.dispose()
