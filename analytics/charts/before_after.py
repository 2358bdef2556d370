"""Before and after: what people spent a week, winners of the draw beside those who did not win.

The draw made the two groups alike; what parts them afterwards is the programme's doing, within the bands.
"""

from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips, yen_axis
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import DASHES, FIRST, QUIET, SECOND, Look, yen_scale

FIELDS: Final = (
    Field("week", Kind.DAY, "the Monday"),
    Field("period", Kind.WORD, "before or after points could be used", allowed=("before", "after")),
    Field("group", Kind.WORD, "winners of the draw, or applicants who did not win", allowed=("won", "lost")),
    Field("people", Kind.COUNT, "persons of whom the week's spending is known"),
    Field("mean_yen", Kind.YEN, "their mean spending, rounded to the yen"),
    Field("low_yen", Kind.YEN, "lower end of the 95 % interval of the mean"),
    Field("high_yen", Kind.YEN, "upper end"),
)

_HEIGHT: Final = 280


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """Two lines with their bands, told apart by colour, dash and sign; a rule stands where points became usable."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    unit = yen_scale(max((each["high_yen"] for each in records), default=0), figures=6)
    title, axis = say("insight.axis.mean", unit=say(unit.key)), yen_axis(unit)
    words = [say("insight.group.won"), say("insight.group.lost")]
    group = alt.Color("group:N", title=None, scale=alt.Scale(domain=words, range=[FIRST, SECOND]))
    sign = alt.Shape("group:N", title=None, scale=alt.Scale(domain=words, range=["circle", "square"]))
    legend: dict[str, Any] = {"labelLimit": 0, "symbolSize": 120, "columns": 1 if look.narrow else 2}
    week = alt.X("week:T", title=None).axis(
        format=say("insight.format.day"), tickCount=3 if look.narrow else 7, grid=False
    )
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart().encode(x=week)
    of_group = [base.transform_filter(alt.FieldEqualPredicate(field="group", equal=word)) for word in words]
    low, mean = (
        alt.Y(name, type="quantitative", title=title, axis=axis, scale=scale) for name in ("low_yen", "mean_yen")
    )
    bands = [
        chart.mark_area(opacity=0.18, color=colour).encode(y=low, y2="high_yen")
        for chart, colour in zip(of_group, (FIRST, SECOND), strict=True)
    ]
    lines = [
        chart.mark_line(strokeWidth=2.5, color=colour, strokeDash=dash).encode(y=mean)
        for chart, colour, dash in zip(of_group, (FIRST, SECOND), DASHES, strict=False)
    ]
    points = base.mark_point(size=45, filled=True, opacity=1).encode(
        y=mean, color=group.legend(**legend), shape=sign.legend(**legend), tooltip=tips(FIELDS, say)
    )
    after = alt.Chart().transform_filter(alt.FieldEqualPredicate(field="period", equal=say("insight.period.after")))
    start = after.transform_window(place="row_number()", sort=[alt.SortField("week")]).transform_filter(
        "datum.place === 1"
    )
    rule = start.mark_rule(color=QUIET, strokeDash=DASHES[2], strokeWidth=1.5).encode(x=week)
    note = start.mark_text(
        align="left", baseline="top", dx=5, color=QUIET, text=say("insight.usable_from"), fontWeight="bold"
    ).encode(x=week, y=alt.value(0))
    return alt.layer(*bands, rule, *lines, points, note).properties(
        width=look.shape.width, height=_HEIGHT, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )


BEFORE_AFTER: Final = ChartKind("before_after", "a week and a group", FIELDS, ("week", "group"), draw)
