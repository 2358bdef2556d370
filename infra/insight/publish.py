"""`tanabata insight publish`: a package of open data about one programme, out of the lake.

The noise comes from a secret of the installation, so that publishing again gives the same figures; what was
published, and what privacy it cost, stands in `releases.jsonl` beside the keys.
"""

import calendar
import os
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console import AsLangSays, complain, reading, show
from infra.insight.place import folder_to_write_in, releases_of
from infra.insight.words import refusal_in_words
from infra.keys import load_open_data_key
from infra.settings import Settings
from locales import text
from services.kit.errors import Refusal

if TYPE_CHECKING:
    from analytics.lake.lake import Lake

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)


def publish(
    programme: Annotated[str, typer.Argument(help="The programme's code.")],
    into: Annotated[Path, typer.Option("--into", help="Where the package goes; nothing may be there yet.")],
    period: Annotated[
        str | None, typer.Option(help="2026-04, or 2026-04-01..2026-06-30; the whole time of use where it is missing.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Another lake than the installation's.")] = None,
    epsilon: Annotated[float, typer.Option(min=0.01, max=10, help="Privacy that each table may cost.")] = 0.5,
    clamp: Annotated[
        int | None,
        typer.Option(min=1, max=10**9, help="Most yen that a person counts in a table; else what one may buy."),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option(help="For demonstrations: the noise from this word. Whoever knows it can take the noise away."),
    ] = None,
    language: AsLangSays = None,
) -> None:
    """Write CSV and Parquet that survive their own attacks, with their description, method and licence."""
    if not programme.strip():
        raise typer.BadParameter("name the programme by its code", param_hint="PROGRAMME")
    words = reading(language)
    folder_to_write_in(into.absolute().parent, into)
    settings = Settings.from_env(os.environ)
    key = sha256(seed.encode()).digest() if seed is not None else load_open_data_key(settings.data_dir)
    try:
        root = lake or settings.lake_dir
        told = _publish(settings, programme, into, period, root, Fraction(str(epsilon)), clamp, key)
    except Refusal as refusal:
        complain(refusal_in_words(refusal, words))
        raise typer.Exit(1) from None
    show(text(words, "open_data.published", **told))


def _publish(
    settings: Settings,
    programme: str,
    into: Path,
    period: str | None,
    root: Path,
    epsilon: Fraction,
    clamp: int | None,
    key: bytes,
) -> dict[str, object]:
    """Publish; returns what there is to say of it."""
    from analytics.disclosure.open_data import Wish, usual_clamp  # noqa: PLC0415 - loads pandas, SciPy and OpenDP
    from analytics.disclosure.publish import publish as publish_package  # noqa: PLC0415
    from analytics.lake.lake import Lake  # noqa: PLC0415

    with Lake(root, deep=True) as lake:
        usual = usual_clamp(lake, programme)
        first, last = days_of(period) if period is not None else _time_of_use(lake, programme)
        data, left = publish_package(
            lake,
            Wish(programme, first, last, epsilon, clamp or usual),
            key,
            into,
            releases_of(root, lake.manifest, settings),
            {"ja": partial(text, "ja"), "en": partial(text, "en")},
            datetime.now(UTC),
        )
    return {"tables": len(data.tables), "folder": into, "left": float(left)}


def days_of(period: str) -> tuple[date, date]:
    """The first and the last day of `2026-04` or `2026-04-01..2026-06-30`. Raises typer.BadParameter."""
    try:
        if month := _MONTH.fullmatch(period):
            year, number = int(month[1]), int(month[2])
            return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
        if days := _DAYS.fullmatch(period):
            first, last = date.fromisoformat(days[1]), date.fromisoformat(days[2])
            if first <= last:
                return first, last
    except ValueError:
        pass  # no such day or month: told below like any other text that is no period
    raise typer.BadParameter("a period is 2026-04 or 2026-04-01..2026-06-30", param_hint="--period")


def _time_of_use(lake: "Lake", programme: str) -> tuple[date, date]:
    programmes = lake.frame("programmes")
    terms = programmes[programmes["programme"] == programme].iloc[0]
    return terms["use_from"].date(), terms["use_to"].date()
