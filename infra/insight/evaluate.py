"""`tanabata insight evaluate`: what a programme did, as JSON for whoever computes on, and as a page to read.

What a city adds from its own desk (a survey's answers, who joined when, what administration cost) is read here once,
for the command and for the report; a line that cannot be is left out and told.
"""

import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column
from rich.table import Table as Drawn

import locales
from infra.console import complain, out
from infra.insight.words import refusal_in_words
from infra.settings import Settings
from services.kit.errors import Refusal

if TYPE_CHECKING:
    import pandas as pd

    from analytics.charts.data import Say
    from analytics.lake.lake import Source

MOST_TOLD = 20
"""Lines of a file that are told one by one when they were left out; of more, how many."""

SurveyFile = Annotated[
    Path | None,
    typer.Option("--survey", help="Households' answers: respondent,usual_yen,extra_yen,extra_cash_yen[,weight].",
                 exists=True, dir_okay=False),
]  # fmt: skip
JoinedFile = Annotated[
    Path | None,
    typer.Option("--joined", help="Weekly sales of stores or districts: unit,week,sales_yen,joined_week[,district].",
                 exists=True, dir_okay=False),
]  # fmt: skip
Invited = Annotated[int | None, typer.Option(min=1, help="Households that were asked, for the response rate.")]
AdministrationYen = Annotated[
    int | None, typer.Option(min=0, max=10**12, help="What the programme cost besides its premium, in yen.")
]


def evaluate(
    programme: Annotated[str, typer.Argument(help="The programme's code.")],
    survey: SurveyFile = None,
    invited: Invited = None,
    administration_yen: AdministrationYen = None,
    joined: JoinedFile = None,
    language: Annotated[str, typer.Option(help="ja, en or ja-simple.")] = "ja",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    lake: Annotated[Path | None, typer.Option("--lake", help="Another lake than the installation's.")] = None,
) -> None:
    """What the programme did: redeemed, surveyed extra, causal estimate with its interval, and what it cost."""
    if language not in locales.LANGUAGES:
        raise typer.BadParameter("a language is ja, en or ja-simple", param_hint="--language")
    from analytics.lake.lake import Lake  # noqa: PLC0415 - loads pandas and its like

    say = partial(locales.text, language)
    try:
        with Lake(lake or Settings.from_env(os.environ).lake_dir, deep=True) as source:
            rows = what_it_did_in(source, programme, say, Added(survey, joined, invited, administration_yen))
    except Refusal as refusal:
        complain(refusal_in_words(refusal, language))
        raise typer.Exit(1) from None
    if as_json:
        sys.stdout.write(json.dumps(as_plain(programme, rows), ensure_ascii=False, indent=1) + "\n")
        return
    _draw(rows, say)


@dataclass(frozen=True)
class Added:
    """What a city has besides its lake: two files, and two numbers."""

    survey: Path | None = None
    joined: Path | None = None
    invited: int | None = None
    administration_yen: int | None = None


def what_it_did_in(
    source: "Source", programme: str, say: "Say", added: Added, hear: Callable[[str], None] = complain
) -> "pd.DataFrame":
    """The rows of `what_it_did`; `hear` is told of the lines of a file that were left out, and why.

    Raises SurveyUnreadable, JoinedUnreadable, NotEstimable, FrameUnfit.
    """
    from analytics.evaluation.evidence import evidence_of  # noqa: PLC0415 - loads pyfixest
    from analytics.evaluation.summary import what_it_did  # noqa: PLC0415

    survey, joined = (None if file is None else file.read_bytes() for file in (added.survey, added.joined))
    evidence, left_out = evidence_of(
        source, survey, joined, invited=added.invited, administration_yen=added.administration_yen
    )
    for name, faults in left_out.items():
        for fault in faults.head(MOST_TOLD).to_dict("records"):
            reason = say(f"evaluation.{name}_fault.{fault['reason']}")
            column = fault["column"] or say("evaluation.whole_line")
            hear(
                say(
                    f"evaluation.{name}_refused",
                    line=fault["line"],
                    column=column,
                    reason=reason,
                    value=fault["value"] or say("evaluation.no_value"),
                )
            )
        if len(faults) > MOST_TOLD:
            hear(say(f"evaluation.{name}_refused_more", count=len(faults) - MOST_TOLD))
    return what_it_did(evidence, programme)


def as_plain(programme: str, rows: "pd.DataFrame") -> dict[str, Any]:
    """The rows as JSON knows them: a value that is not there is null, an end that there is none of is null, too,
    and `unlimited` says that it is no gap."""
    told = []
    for row in rows.to_dict("records"):
        plain: dict[str, Any] = {str(name): value for name, value in row.items()}
        plain["unlimited"] = math.isinf(row["high"])
        for name in ("value", "low", "high"):
            plain[name] = float(row[name]) if math.isfinite(row[name]) else None
        told.append(plain)
    return {"programme": programme, "rows": told}


def _draw(rows: "pd.DataFrame", say: "Say") -> None:
    from analytics.reports.did import HEADS, TITLE, lines  # noqa: PLC0415

    # Japanese has no spaces to break a line at, and what does not fit would be cut off.
    drawn = Drawn(*(Column(say(head), overflow="fold") for head in HEADS), title=say(TITLE))
    for line in lines(rows, say):
        drawn.add_row(*line)
    out.print(drawn)
