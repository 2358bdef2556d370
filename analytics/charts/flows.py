"""Where money walks: from the district in which people live to the district in which they spend.

A flow diagram is no mark of Vega-Lite; it is drawn from the rows themselves by its transforms. Each flow is a
ribbon between two stacks, and follows y(t) = a (1 − s) + b s with s = t² (3 − 2 t), the cubic that leaves and
arrives level. Colours tell what stays at home from what leaves, and grey what is spent by people whose home nobody
knows; the names say the rest.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.charts.axes import tips
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import FIRST, INK, SECOND, THIRD, Look, margin_for
from analytics.frames import UNKNOWN

FIELDS: Final = (
    Field("home", Kind.NAME, "where the residents live"),
    Field("place", Kind.NAME, "where the stores stand"),
    Field("sales_yen", Kind.YEN, "payments less cancels and refunds, yen", adds=True),
    Field("stays", Kind.WORD, "whether it is spent in the own district", allowed=("home", "away", UNKNOWN)),
)

_SHADES: Final = {"home": FIRST, "away": SECOND, UNKNOWN: THIRD}
_STEPS: Final = 24
_LINE: Final = 20
"""Pixels between two names that stand one above the other."""
_MOST_LABEL: Final = {True: 92, False: 150}


def stays_of(flows: pd.DataFrame) -> pd.Series:
    """Whether `home` is `place`, as `stays` says it; where one of the two is not known, nobody knows."""
    own = np.where(flows["home"] == flows["place"], "home", "away")
    known = (flows["home"] != UNKNOWN) & (flows["place"] != UNKNOWN)
    return pd.Series(np.where(known, own, UNKNOWN), index=flows.index)


def _stacks(records: list[Mapping[str, Any]], column: str) -> list[str]:
    """The districts of one side, the largest first; ties by name."""
    sums: dict[str, int] = {}
    for each in records:
        if each["sales_yen"] > 0:
            sums[each[column]] = sums.get(each[column], 0) + each["sales_yen"]
    return sorted(sums, key=lambda name: (-sums[name], name))


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """Ribbons from left to right, as thick as what flows; sums below zero are in the table only."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    homes, places = _stacks(records, "home"), _stacks(records, "place")
    total = sum(each["sales_yen"] for each in records if each["sales_yen"] > 0)
    lines = max(len(homes), len(places), 1)
    height = 30 * lines + 120
    gap = total * _LINE / (height - _LINE * (lines - 1)) if lines > 1 else 0
    top = total + gap * (lines - 1)
    room = margin_for([*homes, *places], _MOST_LABEL[look.narrow])
    inner = look.shape.width - 2 * room - 28
    shades = {say(f"insight.stays.{word}"): shade for word, shade in _SHADES.items()}
    seen = {say("insight.stays.home"), say("insight.stays.away"), *(each["stays"] for each in records)}
    words = [word for word in shades if word in seen]
    y_scale = alt.Scale(domain=[0, max(top, 1)], reverse=True, nice=False, zero=True)
    x_scale = alt.Scale(domain=[0, 1], nice=False)
    flows = _placed(homes, places, gap)
    colour = alt.Color(
        "stays:N", title=None, sort=words, scale=alt.Scale(domain=words, range=[shades[word] for word in words])
    )
    ribbons = (
        flows.transform_calculate(step=f"sequence(0, {_STEPS + 1})")
        .transform_flatten(["step"])
        .transform_calculate(t=f"datum.step / {_STEPS}")
        .transform_calculate(s="datum.t * datum.t * (3 - 2 * datum.t)")
        .transform_calculate(
            upper="datum.left * (1 - datum.s) + datum.right * datum.s",
            lower="(datum.left + datum.sales_yen) * (1 - datum.s) + (datum.right + datum.sales_yen) * datum.s",
        )
        .mark_area(opacity=0.62, stroke="white", strokeWidth=0.6)
        .encode(
            x=alt.X("t:Q", axis=None, scale=x_scale),
            y=alt.Y("upper:Q", axis=None, scale=y_scale),
            y2="lower:Q",
            detail=["home:N", "place:N"],
            color=colour.legend(symbolType="square", labelLimit=0, columns=1 if look.narrow else 2),
            tooltip=tips(FIELDS, say),
        )
    )
    sides = [
        _names(flows, "home", "left", x_scale, y_scale, room),
        _names(flows, "place", "right", x_scale, y_scale, room),
    ]
    heads = [_head(look, "home", inner, room), _head(look, "place", inner, room)]
    return alt.layer(ribbons, *sides[0], *sides[1], *heads).properties(width=inner, height=height)


def _placed(homes: list[str], places: list[str], gap: float) -> Any:
    """The rows with `left` and `right`: where in its two stacks a flow begins, in yen from the top."""
    import altair as alt  # noqa: PLC0415

    chart = alt.Chart().transform_filter("datum.sales_yen > 0")
    chart = chart.transform_calculate(
        home_at=f"indexof({_listed(homes)}, datum.home)", place_at=f"indexof({_listed(places)}, datum.place)"
    )
    by_home: list[Any] = [alt.SortField("home_at"), alt.SortField("place_at")]
    by_place: list[Any] = [alt.SortField("place_at"), alt.SortField("home_at")]
    chart = chart.transform_window(before_home="sum(sales_yen)", sort=by_home, frame=[None, 0], ignorePeers=True)
    chart = chart.transform_window(before_place="sum(sales_yen)", sort=by_place, frame=[None, 0], ignorePeers=True)
    return chart.transform_calculate(
        left=f"datum.before_home - datum.sales_yen + datum.home_at * {gap!r}",
        right=f"datum.before_place - datum.sales_yen + datum.place_at * {gap!r}",
    )


def _listed(names: list[str]) -> str:
    """Names as a list in Vega's expression language, whose text is JSON's, save that two signs end a line there."""
    return json.dumps(names, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _names(flows: Any, column: str, start: str, x_scale: Any, y_scale: Any, room: int) -> tuple[Any, Any]:
    """The bar of each district on one side, and its name beside it."""
    import altair as alt  # noqa: PLC0415

    left = start == "left"
    stack = flows.transform_calculate(end=f"datum.{start} + datum.sales_yen").transform_aggregate(
        first=f"min({start})", last="max(end)", groupby=[column]
    )
    at = alt.X(datum=0 if left else 1, type="quantitative", axis=None, scale=x_scale)
    bar = stack.mark_rule(strokeWidth=6, color=INK).encode(
        x=at, y=alt.Y("first:Q", axis=None, scale=y_scale), y2="last:Q"
    )
    middle = stack.transform_calculate(middle="(datum.first + datum.last) / 2")
    name = middle.mark_text(
        align="right" if left else "left", baseline="middle", dx=-8 if left else 8, limit=room
    ).encode(x=at, y=alt.Y("middle:Q", axis=None, scale=y_scale), text=f"{column}:N")
    return bar, name


def _head(look: Look, column: str, inner: int, room: int) -> Any:
    """What the side is, above its names, so that nobody has to guess in which direction the money walks.

    It begins where the names may begin: above the ribbons alone, two long words would meet on a phone.
    """
    import altair as alt  # noqa: PLC0415

    left = column == "home"
    word = look.say(f"insight.column.{column}")
    mark = (
        alt.Chart()
        .transform_aggregate(rows="count()")
        .mark_text(align="left" if left else "right", baseline="bottom", fontWeight="bold", text=word)
    )
    edge = -room - 8 if left else inner + room + 8
    return mark.encode(x=alt.value(edge), y=alt.value(-10))


FLOWS: Final = ChartKind("flows", "a district of residents and one of stores", FIELDS, ("home", "place"), draw)
