"""How fast points are used: what was used by each day, and the forecast with its band."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips, yen_axis
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import DASHES, FIRST, QUIET, Look, yen_scale

FIELDS: Final = (
    Field("day", Kind.DAY, "civil date"),
    Field("known", Kind.WORD, "whether it was counted or is expected", allowed=("counted", "forecast")),
    Field("issued_yen", Kind.YEN, "points issued up to and with the day, yen; a forecast repeats the last"),
    Field("used_yen", Kind.YEN, "points used up to and with the day, less cancels and refunds, yen"),
    Field("low_yen", Kind.YEN, "lower end of the band; what was counted has none and repeats `used_yen`"),
    Field("high_yen", Kind.YEN, "upper end of the band; likewise"),
)

_HEIGHT: Final = 300


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """Counted is a line, expected a dashed one with its band, issued a dotted one."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    unit = yen_scale(max((max(each["issued_yen"], each["high_yen"]) for each in records), default=0))
    words = [say("insight.known.counted"), say("insight.known.forecast")]
    title, axis = say("insight.axis.used", unit=say(unit.key)), yen_axis(unit)
    day = alt.X("day:T", title=None).axis(
        format=say("insight.format.day"), tickCount=3 if look.narrow else 7, grid=False
    )
    base = alt.Chart().encode(x=day)
    band = base.mark_area(color=FIRST, opacity=0.22).encode(y=alt.Y("low_yen:Q", title=title, axis=axis), y2="high_yen")
    dash = alt.StrokeDash("known:N", title=None, scale=alt.Scale(domain=words, range=list(DASHES[:2])))
    used = base.mark_line(strokeWidth=2.5, color=FIRST).encode(
        y=alt.Y("used_yen:Q", title=title, axis=axis),
        strokeDash=dash.legend(symbolStrokeColor=FIRST, symbolType="stroke", symbolSize=500, labelLimit=0),
    )
    issued = alt.Y("issued_yen:Q", title=title, axis=axis)
    ceiling = base.mark_line(strokeWidth=1.5, color=QUIET, strokeDash=DASHES[2]).encode(y=issued)
    name = (
        base.transform_window(last="row_number()", sort=[alt.SortField("day", order="descending")])
        .transform_filter("datum.last === 1")
        .mark_text(align="right", baseline="bottom", dy=-5, color=QUIET, text=say("insight.issued"))
        .encode(y=issued)
    )
    touch = base.mark_rule(opacity=0, strokeWidth=6).encode(tooltip=tips(FIELDS, say))
    return alt.layer(band, ceiling, used, name, touch).properties(
        width=look.shape.width, height=_HEIGHT, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )


REDEMPTION: Final = ChartKind("redemption", "a civil date", FIELDS, ("day", "known"), draw)
