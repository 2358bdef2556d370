"""`tanabata insight`: the lake of analytics and what is made of it. Heavy libraries are loaded by what needs them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infra.companion import end_with_parent
from infra.console import AsLangSays, complain, reading, run, show, tell
from infra.database.give_way import give_way
from infra.database.provision import open_database, open_for_insight
from infra.insight.alerts import alerts
from infra.insight.evaluate import evaluate
from infra.insight.publish import publish
from infra.insight.report import report
from infra.insight.words import refusal_in_words
from infra.settings import Settings
from locales import text
from services.kit.errors import Refusal
from services.kit.priority import step_back

if TYPE_CHECKING:
    from analytics.lake.refresh import Refreshed

insight = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
_MOST_CONNECTIONS = 8


@insight.callback()
def group(
    parent: Annotated[int | None, typer.Option(hidden=True, help="End with this process, which started us.")] = None,
) -> None:
    """What the city learns from its payments: without names, exact to the yen."""
    if parent is not None:
        end_with_parent(parent)


insight.command()(alerts)
insight.command()(evaluate)
insight.command()(publish)
insight.command()(report)


@insight.command()
def refresh(
    connections: Annotated[
        int, typer.Option(min=1, max=_MOST_CONNECTIONS, help="How many stretches of days are read at once.")
    ] = 1,
    anew: Annotated[bool, typer.Option("--anew", help="Build the lake from nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but what went wrong.")] = False,
    language: AsLangSays = None,
) -> None:
    """Bring the lake up to date, up to yesterday; what is damaged in it is built anew. Repeatable at any time."""
    words = reading(language)
    step_back()  # it gives way to payments
    run(lambda: _refresh(Settings.from_env(os.environ), connections, anew=anew, quiet=quiet, language=words))


async def _refresh(settings: Settings, connections: int, *, anew: bool, quiet: bool, language: str) -> None:
    import asyncio  # noqa: PLC0415

    opened = open_for_insight if quiet else open_database
    async with opened(settings, (lambda _: None) if quiet else tell) as handle:
        try:
            done = await asyncio.to_thread(
                _with_bar, settings.lake_dir, handle.insight_uri(), connections, anew, None if quiet else language
            )
        except Refusal as refusal:
            complain(refusal_in_words(refusal, language))
            raise typer.Exit(1) from None
    if not quiet:
        told = {"rows": f"{done.rows:,}", "files": f"{done.parts:,}", "end": done.end}
        show(text(language, "insight.refresh.done", **told))
        if done.damaged:
            show(text(language, "insight.refresh.repaired", files=f"{done.damaged:,}"))


def _with_bar(root: Path, uri: str, connections: int, anew: bool, language: str | None) -> "Refreshed":
    """Refresh, and say how far it is in this language, if in any."""
    from analytics.lake.refresh import refresh as bring_up_to_date  # noqa: PLC0415 - loads pandas and Arrow

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=language is None) as progress:
        bar = progress.add_task(text(language or "en", "insight.refresh.reading"), total=None)
        return bring_up_to_date(
            root,
            uri,
            anew=anew,
            connections=connections,
            told=lambda done, total: progress.update(bar, completed=done, total=total),
            opened=give_way,
        )
