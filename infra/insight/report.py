"""`tanabata insight report`: the report of a programme as a page, a workbook, a PDF, and a page for everybody.

Nothing is fetched, and what is written opens without a server or a network.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import locales
from infra.console import complain, show
from infra.insight.evaluate import (
    Added,
    AdministrationYen,
    Invited,
    JoinedFile,
    SurveyFile,
    what_it_did_in,
)
from infra.insight.place import folder_to_write_in, put_in_place, releases_of
from infra.insight.words import refusal_in_words
from infra.settings import Settings
from services.kit.errors import Refusal

if TYPE_CHECKING:
    from analytics.charts.data import Say

_FORMS = ("report.html", "workbook.xlsx", "council.pdf", "public.html")


class Language(StrEnum):
    """In which words."""

    JA = "ja"
    EN = "en"
    JA_SIMPLE = "ja-simple"


def report(
    into: Annotated[Path, typer.Option("--into", help="Folder for the report; made where it is missing.")],
    language: Annotated[Language, typer.Option(help="In which words.")] = Language.JA,
    programme: Annotated[
        str | None, typer.Option(help="Code of the programme; without it the one whose use began last.")
    ] = None,
    lake: Annotated[
        Path | None, typer.Option(help="Folder of the lake; without it the one of this installation.")
    ] = None,
    survey: SurveyFile = None,
    invited: Invited = None,
    administration_yen: AdministrationYen = None,
    joined: JoinedFile = None,
) -> None:
    """Write report.html, workbook.xlsx, council.pdf and public.html; exit code 1 when one could not be made.

    What the programme did stands on the office's page and on the council's paper. The page for everybody counts as
    published once it is written: it is left out when it and what was published before would tell of few people.
    """
    was_there = into.exists()
    folder_to_write_in(into, into)
    settings = Settings.from_env(os.environ)
    root = lake or settings.lake_dir
    say = partial(locales.text, language.value)
    try:
        added = Added(survey, joined, invited, administration_yen)
        missing = _write(root, into, programme, say, language.value, added, settings)
    except Refusal as refusal:
        complain(refusal_in_words(refusal, language.value))
        if not was_there:
            with suppress(OSError):  # a form that was written before stays, and its folder with it
                into.rmdir()
        raise typer.Exit(1) from None
    for name in _FORMS:
        if name not in missing:
            show(str(into / name))
    if missing:
        raise typer.Exit(1)


def _write(
    root: Path,
    into: Path,
    programme: str | None,
    say: "Say",
    language: str,
    added: Added,
    settings: Settings,
) -> set[str]:
    """Write every form; returns the names of those that this machine cannot make, having said why."""
    from analytics.charts.catalogue import CHARTS  # noqa: PLC0415  # pandas and its like load when they are needed
    from analytics.disclosure.cells import TableTooLarge  # noqa: PLC0415
    from analytics.disclosure.differencing import Differencing  # noqa: PLC0415
    from analytics.disclosure.releases import ReleasesBroken, ReleasesUnwritable  # noqa: PLC0415
    from analytics.lake.lake import Lake  # noqa: PLC0415
    from analytics.reports.council import ReportFontMissing, council_pdf  # noqa: PLC0415
    from analytics.reports.gather import gather  # noqa: PLC0415
    from analytics.reports.html import report_page  # noqa: PLC0415
    from analytics.reports.public import publish_public  # noqa: PLC0415
    from analytics.reports.workbook import workbook  # noqa: PLC0415

    missing: set[str] = set()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Lake(root, deep=True) as source, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(CHARTS) + 1 + len(_FORMS))

        def tell(name: str) -> None:
            progress.update(bar, description=name, advance=1)

        office = gather(source, programme, tell=tell)
        office = replace(office, did=what_it_did_in(source, office.programme, say, added))

        def public() -> str:
            ledger = releases_of(root, source.manifest, settings)
            page = publish_public(source, ledger, datetime.now(UTC), programme, tell)
            return report_page(page, say, language, "insight.report.public_title")

        made: dict[str, Callable[[], str | bytes]] = {
            "report.html": lambda: report_page(office, say, language),
            "workbook.xlsx": lambda: workbook(office, say),
            "council.pdf": lambda: council_pdf(office, say, language),
            "public.html": public,
        }
        for name, make in made.items():
            tell(name)
            try:
                content = make()
            except (ReportFontMissing, Differencing, TableTooLarge, ReleasesBroken, ReleasesUnwritable) as refusal:
                complain(refusal_in_words(refusal, language))
                missing.add(name)
                continue
            put_in_place(into / name, content if isinstance(content, bytes) else content.encode())
    return missing
