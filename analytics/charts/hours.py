"""When and where people spend: a heat map of hours by category of store, one for each district of stores."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips, yen_labels
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.names import Shape
from analytics.charts.theme import Look, margin_for, round_up, yen_scale

FIELDS: Final = (
    Field("district", Kind.NAME, "where the store stands"),
    Field("category", Kind.WORD, "what the store sells"),
    Field("hour", Kind.HOUR, "the hour of the day in Asia/Tokyo, 0 to 23"),
    Field("sales_yen", Kind.YEN, "payments less cancels and refunds of that hour, yen", adds=True),
)

_ROW: Final = 18
_GAP: Final = 20
_BESIDE: Final = {Shape.PHONE: 1, Shape.SCREEN: 2, Shape.PRINT: 3}
"""Districts side by side."""
_LABEL_NARROW: Final = 118
_LABEL: Final = 170


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """Rows are categories, columns hours; darker is more. A phone shows one district below the other."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    districts = list(dict.fromkeys(each["district"] for each in records))
    room = margin_for([each["category"] for each in records], _LABEL_NARROW if look.narrow else _LABEL)
    beside = min(_BESIDE[look.shape], max(len(districts), 1))
    width = (look.shape.width - room - 16 - _GAP * (beside - 1)) // beside
    top = round_up(max((each["sales_yen"] for each in records), default=0))
    unit = yen_scale(top)
    in_order = alt.EncodingSortField("place", op="min")  # a list of names would become Vega's code
    hour = alt.X("hour:O", scale=alt.Scale(domain=list(range(24))), title=say("insight.column.hour"))
    colour = alt.Color(
        "sales_yen:Q", title=say("insight.axis.sales", unit=say(unit.key)), scale=alt.Scale(domain=[0, top], clamp=True)
    )
    return (
        alt.Chart()
        .transform_window(place="row_number()", frame=[None, None])
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=hour.axis(values=list(range(0, 24, 6)), labelAngle=0, ticks=False, domain=False),
            y=alt.Y("category:N", title=None, sort=None).axis(
                labelLimit=room, minExtent=room, maxExtent=room, ticks=False, domain=False
            ),
            color=colour.legend(gradientLength=min(width, 260), labelExpr=yen_labels(unit), values=[0, top // 2, top]),
            tooltip=tips(FIELDS, say),
            facet=alt.Facet("district:N", columns=beside, title=None, sort=in_order, spacing=_GAP).header(
                labelAnchor="start"
            ),
        )
        .properties(width=width, height=alt.Step(_ROW))
    )


HOURS: Final = ChartKind("hours", "a district, a category and an hour", FIELDS, ("district", "category", "hour"), draw)
