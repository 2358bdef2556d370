"""What became of the points: used, lapsed, or still in wallets, purse by purse."""

import json
from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips, yen_labels
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import INK, PALETTE, Look, in_two_lines, margin_for, yen_scale

STATES: Final = ("used", "expired", "held")

FIELDS: Final = (
    Field("purse", Kind.NAME, "the purse's code"),
    Field("state", Kind.WORD, "used in stores, lapsed, or still held", allowed=STATES),
    Field("points_yen", Kind.YEN, "points of one yen each; the three together are what was issued", adds=True),
)

_ROW: Final = 48
_LABEL: Final = 130


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """A bar a purse, its parts in the order used, lapsed, held."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    purses = [each["purse"] for each in records]
    room = margin_for(purses, _LABEL)
    sums: dict[str, int] = {}
    for each in records:
        sums[each["purse"]] = sums.get(each["purse"], 0) + abs(each["points_yen"])
    unit = yen_scale(max(sums.values(), default=0))
    words = [say(f"insight.state.{state}") for state in STATES]
    colour = alt.Color("state:N", title=None, scale=alt.Scale(domain=words, range=[PALETTE[0], PALETTE[1], "#b9b9b9"]))
    return (
        alt.Chart()
        .transform_calculate(place=f"indexof({json.dumps(words)}, datum.state)")
        .mark_bar(stroke=INK, strokeWidth=0.7, size=30)
        .encode(
            y=alt.Y("purse:N", title=None).axis(
                labelExpr=in_two_lines(purses, room),
                labelLimit=room,
                minExtent=room,
                maxExtent=room,
                ticks=False,
                domain=False,
            ),
            x=alt.X("points_yen:Q", stack="zero", title=say("insight.axis.points", unit=say(unit.key))).axis(
                labelExpr=yen_labels(unit), tickCount=3 if look.narrow else 6, domain=False
            ),
            color=colour.legend(
                symbolType="square", symbolStrokeWidth=0.7, labelLimit=0, columns=1 if look.narrow else 3
            ),
            order=alt.Order("place:Q"),
            tooltip=tips(FIELDS, say),
        )
        .properties(width=look.shape.width - room - 22, height=alt.Step(_ROW))
    )


CIRCULATION: Final = ChartKind("circulation", "a purse and a state", FIELDS, ("purse", "state"), draw)
