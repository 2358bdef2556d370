"""`tanabata insight alerts`: run the rules over the lake's last days and keep what they find, for officers."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import locales
from infra.console import AsLangSays, complain, reading, run, show
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle, open_server
from infra.insight.words import refusal_in_words
from infra.settings import Settings
from infra.timekeeping import offset_of
from services.alerts.alert import Finding, Show, Tally
from services.alerts.keep import KeepFindings, Kept, keep_findings
from services.alerts.read import AskAlerts
from services.alerts.read import alerts as read_alerts
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.errors import Refusal
from services.kit.ids import SecretEntropy
from services.kit.priority import step_back

if TYPE_CHECKING:
    from analytics.alerts.look import Told


def alerts(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many of the lake's last days are looked at.")] = 60,
    lake: Annotated[Path | None, typer.Option("--lake", help="Another lake than the installation's.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but what went wrong.")] = False,
    language: AsLangSays = None,
) -> None:
    """Look for misuse in the lake's last days. What is found waits for an officer; the same is never kept twice."""
    words = reading(language)
    step_back()
    settings = Settings.from_env(os.environ)
    try:
        kept, tallies = run(lambda: _look_and_keep(settings, lake or settings.lake_dir, days))
    except Refusal as refusal:
        complain(refusal_in_words(refusal, words))
        raise typer.Exit(1) from None
    if not quiet:
        show(locales.text(words, "alert.run", **vars(kept)))
        for tally in tallies:
            show(line_of(tally, words))


def line_of(tally: Tally, language: str = "en") -> str:
    """A rule's tally in words."""
    right = tally.precision_permille
    told = locales.text(language, "alert.unjudged") if right is None else f"{right / 10:.1f} %"
    return locales.text(language, "alert.tally", **(vars(tally) | {"precision": told}))


async def _look_and_keep(settings: Settings, root: Path, days: int) -> tuple[Kept, list[Tally]]:
    async with open_server(settings) as handle:
        return await look_and_keep(handle, root, days)


async def look_and_keep(handle: DatabaseHandle, root: Path, days: int) -> tuple[Kept, list[Tally]]:
    """Run the rules over the lake in `root` and keep what they find.

    Raises LakeMissing, LakeCorrupt, and LakeNotOfBooks: an invented resident's number is a real one's, too.
    """
    import asyncio  # noqa: PLC0415

    first, last, found = await asyncio.to_thread(_look, root, handle.insight_uri(), days)
    engine = handle.app_engine(pool_size=1, limits=JOBS)
    try:
        database = Database(engine, OffsetClock(await offset_of(engine)), SecretEntropy())
        kept = await database.transact(keep_findings, KeepFindings(tuple(map(finding_of, found)), first, last))
        told = await database.transact(read_alerts, AskAlerts(Show.OPEN, limit=1))
    finally:
        await engine.dispose()
    return kept, list(told.tallies)


def _look(root: Path, uri: str, days: int) -> tuple[date, date, "list[Told]"]:
    from analytics.alerts.look import look  # noqa: PLC0415 - loads pandas, SciPy and DuckDB
    from analytics.alerts.relations import near_frames  # noqa: PLC0415
    from analytics.lake.lake import Lake  # noqa: PLC0415
    from analytics.lake.refresh import last_day_of_books  # noqa: PLC0415

    with Lake(root, deep=True) as lake:
        last = last_day_of_books(lake.manifest)
        first, found = look(lake, last, *near_frames(uri), days)
    return first, last, found


def finding_of(told: "Told") -> Finding:
    permille = round(min(1.0, max(0.0, told.score)) * 1_000)
    return Finding(told.key, told.rule, told.subject, permille, told.parameters, told.residents, told.payments)
