"""The city's charts: each as Vega-Lite with its rows inside, and as a table and a CSV of the same rows.

Law: what a chart says is what the report says of the same lake, to the yen, for both gather it in one way. As with
measures these are internal figures, for whoever may see those.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import Header, Query, Response
from pydantic import Field

import locales
from analytics.charts.names import (
    NAMES,
    REPORT_REFUSALS,
    ChartQuestion,
    ChartTooLarge,
    ChartUnknown,
    Shape,
)
from analytics.desk.desk import DeskBusy
from analytics.desk.messages import Drawn
from analytics.lake.manifest import LakeCorrupt, LakeMissing
from analytics.measures.question import AnswerTooLarge
from infra.http.apps import router
from infra.http.auth import Evaluator
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, ShortText
from locales.weights import weighed

routes = router("insight")

_CSV: Final = ".csv"
_CSV_TYPE: Final = "text/csv"
Language = Annotated[str, Header(alias="accept-language", max_length=200)]
Accept = Annotated[str, Header(max_length=1_000, include_in_schema=False)]
KnownTag = Annotated[str, Header(alias="if-none-match", max_length=1_000)]


class ChartNameAnswer(Answer):
    """One chart in the words of `Accept-Language`."""

    name: str
    title: str
    says: str = Field(description="How to read it, and what is in it and what is not.")


class ChartsAnswer(Answer):
    charts: Sequence[ChartNameAnswer]


class ChartColumnAnswer(Answer):
    name: str = Field(description="As in the specification.")
    head: str
    kind: str = Field(description="name, word, yen, count, hour, share (from 0 to 1), day or month (its first day).")


class ChartAnswer(Answer):
    """A chart, and its rows for a table. `spec` fetches nothing when it is drawn."""

    name: str
    title: str
    says: str
    programme: str
    programme_title: str = Field(description="What its terms call it; its code again where the lake does not know.")
    last: date = Field(description="The last civil day that is counted.")
    refreshed_at: datetime = Field(description="Everything up to this instant is in the figures.")
    spec: Mapping[str, Any] = Field(description="Vega-Lite, with the rows inside.")
    columns: Sequence[ChartColumnAnswer]
    rows: Sequence[Sequence[str | int | float]] = Field(description="In the order of columns; a day as 2026-04-01.")


_FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_CSV_TYPE: {"schema": {"type": "string"}}}},
    304: {"description": "Nothing has changed since the answer whose `ETag` was sent in `If-None-Match`."},
}


@routes.get("/insight/charts")
async def list_charts(_token: Evaluator, accept_language: Language = "") -> ChartsAnswer:
    """Every chart there is, in the order of the report."""
    language = locales.choose(accept_language)
    return ChartsAnswer(charts=[_named(name, language) for name in NAMES])


@routes.get(
    "/insight/charts/{name}",
    response_model=ChartAnswer,
    responses={
        **refuses(ChartUnknown, ChartTooLarge, AnswerTooLarge, *REPORT_REFUSALS),
        **refuses(LakeMissing, LakeCorrupt, DeskBusy),
        **_FORMS,
    },
)
async def draw_chart(
    _token: Evaluator,
    here: Here,
    name: ShortText,
    programme: Annotated[
        ShortText | None, Query(description="Its code; without it the one whose use began last.")
    ] = None,
    shape: Annotated[Shape, Query(description="For what width it is drawn.")] = Shape.SCREEN,
    accept: Accept = "",
    accept_language: Language = "",
    if_none_match: KnownTag = "",
) -> Response:
    """A chart in the language of `Accept-Language`; `NAME.csv`, or `Accept: text/csv`, for its rows as CSV.

    It changes only when the lake is refreshed: the `ETag` of one answer, sent back, is answered 304.
    """
    chart = name.removesuffix(_CSV)
    language = locales.choose(accept_language)
    asked = ChartQuestion(chart, language, programme, shape).checked()
    if here.insight is None:
        raise LakeMissing
    drawn: Drawn = await here.insight.chart(asked)
    if name.endswith(_CSV) or _prefers_csv(accept):
        content, media_type = (
            drawn.csv.encode("utf-8-sig"),
            f"{_CSV_TYPE}; charset=utf-8",
        )  # or Excel takes it for CP932
    else:
        content, media_type = _answer(chart, drawn).model_dump_json().encode(), "application/json"
    headers = {
        "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
        "Content-Language": language,
        "Vary": "Accept, Accept-Language",
    }
    if headers["ETag"] in (each.strip().removeprefix("W/") for each in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _named(name: str, language: str) -> ChartNameAnswer:
    title, says = (locales.text(language, f"insight.chart.{name}.{part}") for part in ("title", "says"))
    return ChartNameAnswer(name=name, title=title, says=says)


def _answer(name: str, drawn: Drawn) -> ChartAnswer:
    return ChartAnswer(
        name=name,
        title=drawn.title,
        says=drawn.says,
        programme=drawn.programme,
        programme_title=drawn.programme_title,
        last=drawn.last,
        refreshed_at=drawn.refreshed_at,
        spec=drawn.spec,
        columns=[ChartColumnAnswer.of(column) for column in drawn.columns],
        rows=drawn.rows,
    )


def _prefers_csv(accept: str) -> bool:
    """Whether CSV is named and weighs more than JSON does, or as much and is named before it."""
    asked = weighed(accept)
    json = next((each for each in ("application/json", "application/*", "*/*") if each in asked), None)
    csv = asked.get(_CSV_TYPE, 0.0)
    if json is None or csv != asked[json]:
        return csv > (0.0 if json is None else asked[json])
    return csv > 0 and list(asked).index(_CSV_TYPE) < list(asked).index(json)
